//! Changes that flow: inserts, updates and deletes of orders, in MySQL, until told to stop.
//!
//! In: a MySQL server. Out: how many changes were made. Never: a change after `stop` returned.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use mysql::prelude::Queryable as _;

use crate::error::{Context as _, Error, Result};
use crate::mysql_server::MySql;

/// Rows inserted by one statement.
const BATCH: u64 = 20;

/// A thread that changes rows.
#[derive(Debug)]
pub struct Load {
    stop: Arc<AtomicBool>,
    changes: Arc<AtomicU64>,
    thread: Option<JoinHandle<Result<()>>>,
}

impl Load {
    /// Begins to change `inventory.orders`, from order `first_id` on, with a pause between two
    /// batches of 20 inserts, 7 updates and 3 deletes. Creation times go over six hours.
    ///
    /// # Errors
    /// MySQL takes no connection.
    pub fn start(mysql: &MySql, first_id: u64, pause: Duration) -> Result<Self> {
        let mut connection = mysql.connection()?;
        let (stop, changes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (stopped, counted) = (stop.clone(), changes.clone());
        let thread = std::thread::spawn(move || {
            let mut id = first_id;
            while !stopped.load(Ordering::Relaxed) {
                let done = change(&mut connection, id).context(|| "changing orders".to_owned())?;
                counted.fetch_add(done, Ordering::Relaxed);
                id += BATCH;
                std::thread::sleep(pause);
            }
            Ok(())
        });
        Ok(Self { stop, changes, thread: Some(thread) })
    }

    /// Changes made so far.
    #[must_use]
    pub fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// Waits until as many changes are made.
    ///
    /// # Errors
    /// They are not, within a minute.
    pub fn wait_for(&self, changes: u64) -> Result<()> {
        for _ in 0..600 {
            if self.changes() >= changes {
                return Ok(());
            }
            std::thread::sleep(Duration::from_millis(100));
        }
        Err(Error::new(format!("{} of {changes} changes within a minute", self.changes())))
    }

    /// Ends it; gives the number of changes made.
    ///
    /// # Errors
    /// A change failed.
    pub fn stop(mut self) -> Result<u64> {
        self.stop.store(true, Ordering::Relaxed);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(done)) => done.map(|()| self.changes()),
            _ => Err(Error::new("the load's thread panicked")),
        }
    }
}

impl Drop for Load {
    fn drop(&mut self) {
        self.stop.store(true, Ordering::Relaxed);
    }
}

/// One batch; gives the number of changes.
fn change(connection: &mut mysql::Conn, id: u64) -> mysql::Result<u64> {
    let row = |n: u64| {
        let (customer, minute) = (n % 97, n * 7 % 360);
        format!(
            "({n}, {customer}, 'product {n}', {}, {}.{:02}, '2026-03-02 {:02}:{:02}:00')",
            n % 9 + 1,
            n % 1000,
            n % 100,
            minute / 60,
            minute % 60
        )
    };
    let rows: Vec<String> = (id..id + BATCH).map(row).collect();
    connection.query_drop(format!(
        "INSERT INTO inventory.orders (id, customer_id, product, quantity, price, created_at) \
         VALUES {}",
        rows.join(", ")
    ))?;
    connection.query_drop(format!(
        "UPDATE inventory.orders SET status = 'paid', quantity = quantity + 1 \
         WHERE id >= {id} AND id < {}",
        id + 7
    ))?;
    connection.query_drop(format!(
        "DELETE FROM inventory.orders WHERE id >= {} AND id < {}",
        id + 10,
        id + 13
    ))?;
    Ok(BATCH + 7 + 3)
}
