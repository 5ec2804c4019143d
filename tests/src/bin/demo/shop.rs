//! The shop whose orders are watched: it changes them in MySQL until it is closed.
//!
//! In: a MySQL server. Out: changes, about eight a second, and the table as MySQL gives it. Never:
//! an order that stays as it was put in, so that each leaves a history.

use std::sync::Arc;
use std::sync::atomic::{AtomicBool, AtomicU64, Ordering};
use std::thread::JoinHandle;
use std::time::Duration;

use alluvium_tests::mysql::prelude::Queryable as _;
use alluvium_tests::mysql::{self, Conn};
use alluvium_tests::{Error, MySql, Result};

use crate::side_by_side::Row;

const TICK: Duration = Duration::from_millis(500);
/// Orders are backdated by 0 to 4 hours: their event time, `created_at`, says the folder.
const HOURS: u64 = 5;
const PRODUCTS: [&str; 5] = ["Tea", "Kettle", "River map", "Crème brûlée 🍮", "Ångström ruler"];

/// A shop that is open. Dropped, it closes without waiting.
#[derive(Debug)]
pub(crate) struct Shop {
    closed: Arc<AtomicBool>,
    changes: Arc<AtomicU64>,
    thread: Option<JoinHandle<mysql::Result<()>>>,
}

impl Shop {
    /// Begins to change orders.
    ///
    /// # Errors
    /// MySQL takes no connection.
    pub(crate) fn open(server: &MySql) -> Result<Self> {
        let mut connection = server.connection()?;
        let (closed, changes) = (Arc::new(AtomicBool::new(false)), Arc::new(AtomicU64::new(0)));
        let (is_closed, counted) = (Arc::clone(&closed), Arc::clone(&changes));
        let thread = std::thread::spawn(move || {
            let mut orders = Vec::new();
            while !is_closed.load(Ordering::Relaxed) {
                let done = tick(&mut connection, &mut orders)?;
                counted.fetch_add(done, Ordering::Relaxed);
                std::thread::sleep(TICK);
            }
            Ok(())
        });
        Ok(Self { closed, changes, thread: Some(thread) })
    }

    /// Changes made so far.
    pub(crate) fn changes(&self) -> u64 {
        self.changes.load(Ordering::Relaxed)
    }

    /// Ends the changes; gives how many were made.
    ///
    /// # Errors
    /// One of them failed.
    pub(crate) fn close(mut self) -> Result<u64> {
        self.closed.store(true, Ordering::Relaxed);
        match self.thread.take().map(JoinHandle::join) {
            Some(Ok(done)) => done.map_err(failed).map(|()| self.changes()),
            _ => Err(Error::new("the thread that changes orders has panicked")),
        }
    }
}

impl Drop for Shop {
    fn drop(&mut self) {
        self.closed.store(true, Ordering::Relaxed);
    }
}

/// One new order, and the next step in the life of those of some ticks ago, in one transaction.
/// Gives the number of rows changed.
fn tick(connection: &mut Conn, orders: &mut Vec<u64>) -> mysql::Result<u64> {
    let number = orders.len() as u64;
    let product = PRODUCTS[orders.len() % PRODUCTS.len()];
    let (hours, customer, cents) = (number % HOURS, 1000 + number % 7, 199 + number * 37 % 9000);
    connection.query_drop("START TRANSACTION")?;
    connection.query_drop(format!(
        "INSERT INTO inventory.orders (customer_id, product, quantity, price, created_at) VALUES
         ({customer}, '{product}', 1, {cents} / 100, NOW(6) - INTERVAL {hours} HOUR)"
    ))?;
    orders.push(connection.last_insert_id());
    let mut changes = 1;
    let mut change = |age: usize, sql: &str| -> mysql::Result<()> {
        if let Some(id) = orders.iter().rev().nth(age) {
            connection.query_drop(sql.replace("{id}", &id.to_string()))?;
            changes += connection.affected_rows();
        }
        Ok(())
    };
    change(2, "UPDATE inventory.orders SET status = 'paid' WHERE id = {id}")?;
    change(4, "UPDATE inventory.orders SET price = price + 1, note = 'gift' WHERE id = {id}")?;
    change(6, "UPDATE inventory.orders SET status = 'shipped' WHERE id = {id}")?;
    if number % 4 == 3 {
        change(8, "DELETE FROM inventory.orders WHERE id = {id}")?;
    }
    connection.query_drop("COMMIT")?;
    Ok(changes)
}

/// The table as MySQL gives it, times in UTC.
///
/// # Errors
/// MySQL does not answer.
pub(crate) fn state(server: &MySql) -> Result<Vec<Row>> {
    let time = |column: &str| format!("DATE_FORMAT({column}, '%Y-%m-%d %H:%i:%s.%f')");
    let sql = format!(
        "SELECT id, status, price, {}, {}, product, quantity, customer_id, note
         FROM inventory.orders ORDER BY id",
        time("created_at"),
        time("updated_at")
    );
    let mut connection = server.connection()?;
    let rows: Vec<mysql::Row> = connection.query(sql).map_err(failed)?;
    Ok(rows.into_iter().map(Row::from_mysql).collect())
}

fn failed(error: mysql::Error) -> Error {
    Error::new(format!("MySQL: {error}"))
}
