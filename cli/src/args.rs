//! What can be typed. Only shapes: what a value means is for `settings` and the commands to say.

use clap::{Args, Parser, Subcommand};
use std::path::PathBuf;

/// Looks into the commit log of an Alluvium table, and checks the table against it.
///
/// Exit codes: 0 fine, 1 findings, 2 usage or configuration, 3 store or log cannot be read.
#[derive(Debug, Parser)]
#[command(name = "alluvium", version, subcommand_required = true, arg_required_else_help = true)]
pub(crate) struct Arguments {
    #[command(flatten)]
    pub(crate) place: Place,
    #[command(subcommand)]
    pub(crate) command: Command,
}

/// Where the table is. A flag wins over the file.
#[derive(Debug, Default, Args)]
#[command(next_help_heading = "Where the table is")]
pub(crate) struct Place {
    /// The connector's JSON as it is POSTed, or its `config` alone; `${env:NAME}` is looked up in
    /// the environment
    #[arg(long, global = true, value_name = "FILE")]
    pub(crate) config: Option<PathBuf>,
    /// `lake.url`: s3://bucket/folder or file:///folder
    #[arg(long, global = true)]
    pub(crate) url: Option<String>,
    /// `lake.meta.url`; <url>.alluvium if not given
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) meta_url: Option<String>,
    /// `sink.id`; of every sink of the table if neither this nor --config is given
    #[arg(long, global = true, value_name = "ID")]
    pub(crate) sink_id: Option<String>,
    /// `s3.endpoint`
    #[arg(long, global = true, value_name = "URL")]
    pub(crate) s3_endpoint: Option<String>,
    /// `s3.region`
    #[arg(long, global = true, value_name = "REGION")]
    pub(crate) s3_region: Option<String>,
    /// Any other key that says how to reach the store, as in the connector (s3.path.style=true);
    /// keys and tokens are better left to AWS_ACCESS_KEY_ID and the like
    #[arg(long = "set", global = true, value_name = "KEY=VALUE")]
    pub(crate) set: Vec<String>,
}

/// Which logs.
#[derive(Debug, Clone, Default, Args)]
pub(crate) struct Which {
    /// Only this topic
    #[arg(long)]
    pub(crate) topic: Option<String>,
    /// Only this partition
    #[arg(long, requires = "topic")]
    pub(crate) partition: Option<i32>,
    /// Only this generation: a number, or `newest` of each topic
    #[arg(long, value_name = "N|newest")]
    pub(crate) generation: Option<String>,
}

/// What to do.
#[derive(Debug, Subcommand)]
pub(crate) enum Command {
    /// The commit log of a topic's partitions in readable form; without --topic the list of logs
    Log {
        #[command(flatten)]
        which: Which,
        /// Newest first
        #[arg(long)]
        reverse: bool,
        /// Every file of each record
        #[arg(long)]
        files: bool,
        /// One JSON object a line, records as they are stored
        #[arg(long)]
        json: bool,
    },
    /// The exact list of settled files, for readers that want a snapshot
    Files {
        #[command(flatten)]
        which: Which,
        /// Keys, not URLs
        #[arg(long, conflicts_with = "json")]
        keys: bool,
        /// One JSON object a line: URL, size, rows, offsets
        #[arg(long)]
        json: bool,
    },
    /// Checks the table against its commit logs back to offset 0: every offset once, or accounted
    /// for
    Verify(Verify),
    /// Removes staged files that no log record names (file:// tables)
    Gc {
        /// Only say what would be removed
        #[arg(long)]
        dry_run: bool,
    },
    /// Starts a topic over: closes its logs and begins a new generation. Files stay
    Forget {
        /// The topic
        #[arg(long)]
        topic: String,
        /// Yes, really
        #[arg(long)]
        yes: bool,
    },
}

/// `alluvium verify`.
#[derive(Debug, Default, Args)]
pub(crate) struct Verify {
    #[command(flatten)]
    pub(crate) which: Which,
    /// Also read the topics from this broker (read_committed, plaintext) and name every offset
    /// that is neither a row nor accounted for
    #[arg(long, value_name = "HOST:PORT,…")]
    pub(crate) kafka: Option<String>,
    /// The same against offsets that another program read: lines `topic partition offset`, and
    /// optionally the value's length, -1 for null; `-` is standard input
    #[arg(long, value_name = "FILE|-", conflicts_with = "kafka")]
    pub(crate) kafka_offsets: Option<PathBuf>,
    /// Records that never reached the sink (dropped by a transform) are no finding
    #[arg(long)]
    pub(crate) transforms_drop: bool,
    /// Findings of each kind that are printed; all are counted
    #[arg(long, default_value_t = 20, value_name = "N")]
    pub(crate) show: usize,
    /// Findings and summary as JSON, one object a line
    #[arg(long)]
    pub(crate) json: bool,
}
