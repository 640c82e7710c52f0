//! Places of the journal that are empty.
//!
//! ```text
//!   1 2 3 4 5 6 7 8 9      facts
//!   1 . . . 5 . . 8 9      what is forgotten leaves its place, kind `forgotten`, with the first place it stands for
//!   1     2-4 5 6-7 8 9    places that touch grow into one row, at the last of them
//! ```
//!
//! So the journal never has a hole it does not know of, and may begin at any number. A reader steps over these rows; they
//! belong to no tenant, so that no question about one finds them.

use super::super::{
    Store,
    engine::{Row, values},
    error::{Result, StoreError},
};

/// The kind of an empty place. No fact is called so.
pub(in crate::store) const FORGOTTEN: &str = "forgotten";
/// Rows looked at in one transaction.
const PAGE: usize = 500;

/// The first place an empty row stands for.
pub(in crate::store) fn since(seq: u64, body: &str) -> Result<u64> {
    let bad = |why: String| StoreError::Fact { seq, kind: FORGOTTEN.into(), why };
    let since = body.parse().map_err(|_| bad("it does not say since which fact".into()))?;
    if (1..=seq).contains(&since) { Ok(since) } else { Err(bad(format!("it cannot stand for facts since {since}"))) }
}

impl Store {
    /// Lets empty places that touch grow into one; how many rows that saved. A page is one transaction; a crash between two
    /// leaves rows that the next turn takes.
    pub async fn journal_compact(&self) -> Result<u64> {
        let (mut after, mut saved) = (0, 0);
        loop {
            let sql = "SELECT seq, body FROM journal WHERE kind = 'forgotten' AND seq > $1 ORDER BY seq LIMIT $2";
            let rows = self.db.all(sql, values![after, PAGE], || format!("read empty places after {after}")).await?;
            let read = |r: &Row| Ok((since(r.count(0)?, &r.text(1)?)?, r.count(0)?));
            let places = rows.iter().map(read).collect::<Result<Vec<_>>>()?;
            let mut tx = self.db.begin().await?;
            let mut wrote = false;
            for run in places.chunk_by(|(_, last), (first, _)| *first == last + 1).filter(|run| run.len() > 1) {
                let (Some((first, lowest)), Some((_, last))) = (run.first(), run.last()) else { continue };
                let attempted = || format!("let empty places {first} to {last} grow together");
                let gone = "DELETE FROM journal WHERE kind = 'forgotten' AND seq >= $1 AND seq < $2";
                saved += tx.write(gone, values![*lowest, *last], attempted).await?;
                let grown = "UPDATE journal SET body = $2 WHERE kind = 'forgotten' AND seq = $1";
                tx.write(grown, values![*last, first.to_string()], attempted).await?;
                wrote = true;
            }
            if wrote {
                tx.commit().await?;
            }
            if rows.len() < PAGE {
                return Ok(saved);
            }
            // The last of this page may touch the first of the next.
            after = places.last().map_or(after, |(_, last)| last - 1);
        }
    }
}
