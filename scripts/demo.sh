#!/usr/bin/env bash
# The whole way, from MySQL to Parquet files that DuckDB reads, on this machine and without Docker.
#
#   make demo            about three minutes; ends and removes everything
#   KEEP=1 make demo     leaves the stack running until Ctrl-C
#
# In:  what is missing is installed (scripts/install.sh), outside of the clone.
# Out: each step and what it waits for; exit code 1 when the lake is not what MySQL is.
# Never: anything left running or lying about, also after Ctrl-C.
set -euo pipefail
cd "$(dirname "${BASH_SOURCE[0]}")/.."
export ALLUVIUM_CACHE=${ALLUVIUM_CACHE:-$HOME/.cache/alluvium}
export CARGO_TARGET_DIR=${CARGO_TARGET_DIR:-$ALLUVIUM_CACHE/target}

began=$(date +%s)
options=(--began "$began")
if [ "${KEEP:-}" = 1 ]; then options+=(--keep); fi
# To the stack KEEP=1 means that its folder stays after its end; here it means that it runs on.
unset KEEP

step() { printf '\n[%3d s] %s\n' $(($(date +%s) - began)) "$*"; }

step "Installing what is missing (the first time some minutes and 1.5 GB, later nothing)"
scripts/install.sh all
step "Building the plugin zip, its library in cargo's dev profile: quicker to build, slower to run"
gradle --no-daemon --console=plain -q -PnativeDebug pluginZip
step "Building the demo"
cargo build --locked --quiet -p alluvium-tests --bin demo
exec cargo run --locked --quiet -p alluvium-tests --bin demo -- "${options[@]}"
