//! Many rows by one statement.
//!
//! Every statement costs a trip to the database's thread or server whatever it carries, so rows of one kind go together. A
//! [`Bulk`] is a statement around a list of rows; it is written out for a few sizes only, and each of those is prepared once
//! per connection.

use std::{collections::BTreeMap, fmt::Write as _, sync::Arc};

use sqlx::AssertSqlSafe;

use super::{
    engine::{Tx, Value},
    error::Result,
};

/// Rows of one statement, the largest first. Every number of rows is a sum of these, each but the largest once: a statement is two
/// changes of thread, which cost more than a text that is kept.
const SIZES: [usize; 9] = [256, 128, 64, 32, 16, 8, 4, 2, 1];

/// A statement around `VALUES (..), (..)`.
#[derive(Debug)]
pub(super) struct Bulk {
    /// What is before the rows.
    pub head: &'static str,
    /// Columns of a row.
    pub columns: usize,
    /// What is behind them.
    pub tail: &'static str,
}

/// A row to be; as many values as the statement has columns.
pub(super) type Values = Vec<Value>;

/// The statements written out so far.
#[derive(Debug, Default)]
pub(super) struct Texts(BTreeMap<(&'static str, &'static str, usize), Arc<str>>);

/// How a place for a value is written.
#[derive(Debug, Clone, Copy)]
enum Places {
    /// `$1`, `$2` ..
    Numbered,
    /// `?`: SQLite looks the name of every other place up in a list of all of them, at every value bound.
    Plain,
}

impl Texts {
    fn of(&mut self, bulk: &Bulk, rows: usize, places: Places) -> Arc<str> {
        self.0.entry((bulk.head, bulk.tail, rows)).or_insert_with(|| bulk.text(rows, places).into()).clone()
    }

    /// Runs the statement over all rows, in their order.
    pub async fn run(&mut self, tx: &mut Tx, bulk: &'static Bulk, rows: Vec<Values>) -> Result<()> {
        let mut rows = rows.into_iter();
        let places = if matches!(tx, Tx::Sqlite(_)) { Places::Plain } else { Places::Numbered };
        for size in SIZES {
            while rows.len() >= size {
                let mut values = Vec::with_capacity(size * bulk.columns);
                rows.by_ref().take(size).for_each(|r| values.extend(r));
                debug_assert_eq!(values.len(), size * bulk.columns, "{}", bulk.head);
                let text = AssertSqlSafe(self.of(bulk, size, places));
                tx.write(text, values, || format!("{} .. ({size} rows)", bulk.head.trim_end())).await?;
            }
        }
        Ok(())
    }
}

impl Bulk {
    fn text(&self, rows: usize, places: Places) -> String {
        let mut text = format!("{} VALUES ", self.head);
        for row in 0..rows {
            text.push_str(if row == 0 { "(" } else { ", (" });
            for column in 1..=self.columns {
                text.push_str(if column == 1 { "" } else { ", " });
                match places {
                    Places::Plain => text.push('?'),
                    // Writing to a String cannot fail.
                    Places::Numbered => drop(write!(text, "${}", row * self.columns + column)),
                }
            }
            text.push(')');
        }
        text + " " + self.tail
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn places_are_counted_through_all_rows() {
        let bulk = Bulk { head: "INSERT INTO t (a, b)", columns: 2, tail: "ON CONFLICT DO NOTHING" };
        let numbered = "INSERT INTO t (a, b) VALUES ($1, $2), ($3, $4) ON CONFLICT DO NOTHING";
        assert_eq!(bulk.text(2, Places::Numbered), numbered);
        assert_eq!(bulk.text(1, Places::Plain), "INSERT INTO t (a, b) VALUES (?, ?) ON CONFLICT DO NOTHING");
    }
}
