//! What name servers said, for as long as it holds.

use std::collections::BTreeMap;

use super::{Answer, Query, Records};
use crate::base::{Deadlines, Mono, limits};

/// What is known of a query.
#[derive(Debug, Clone, Copy)]
pub(super) enum Known<'a> {
    /// These records, until then.
    Records(&'a Records, Mono),
    /// That there are none, until then.
    Nothing(Mono),
    /// That the name server failed, until then.
    Failed(Mono),
}

#[derive(Debug)]
struct Entry {
    answer: Answer,
    until: Mono,
}

#[derive(Debug, Default)]
pub(super) struct Cache {
    entries: BTreeMap<Query, Entry>,
    /// When each is forgotten: good answers outlive their time, for when the name servers fail.
    forget: Deadlines<Query>,
}

impl Cache {
    pub(super) fn get(&self, now: Mono, query: &Query) -> Option<Known<'_>> {
        let entry = self.entries.get(query).filter(|e| e.until > now)?;
        Some(match &entry.answer {
            Answer::Found(records, _) => Known::Records(records, entry.until),
            Answer::Nothing(_) => Known::Nothing(entry.until),
            Answer::Failed => Known::Failed(entry.until),
        })
    }

    pub(super) fn put(&mut self, now: Mono, query: Query, mut answer: Answer) {
        while let Some(gone) = self.forget.pop_due(now) {
            self.entries.remove(&gone);
        }
        let life = match &mut answer {
            Answer::Found(records, ttl) => {
                match records {
                    Records::Naptr(r) => r.truncate(limits::DNS_RECORDS_MAX),
                    Records::Srv(r) => r.truncate(limits::DNS_RECORDS_MAX),
                    Records::Addresses(r) => r.truncate(limits::DNS_RECORDS_MAX),
                }
                (*ttl).clamp(limits::DNS_TTL_MIN, limits::DNS_TTL_MAX)
            }
            Answer::Nothing(ttl) => ttl.unwrap_or(limits::DNS_TTL_MIN).clamp(limits::DNS_TTL_MIN, limits::DNS_NEGATIVE_MAX),
            Answer::Failed => limits::DNS_FAILED_LIFE,
        };
        let until = now + life;
        // RFC 8767: better what was true an hour ago than nothing at all.
        if answer == Answer::Failed
            && let Some(old) = self.entries.get_mut(&query)
            && matches!(old.answer, Answer::Found(..))
        {
            old.until = old.until.max(until);
            return;
        }
        let stale = if matches!(answer, Answer::Found(..)) { limits::DNS_STALE_LIFE } else { std::time::Duration::ZERO };
        self.forget.set(query.clone(), until + stale);
        self.entries.insert(query, Entry { answer, until });
        while self.entries.len() > limits::DNS_CACHE_MAX {
            let Some(first) = self.forget.iter().next().map(|(_, q)| q.clone()) else { return };
            self.forget.clear(&first);
            self.entries.remove(&first);
        }
    }

    pub(super) fn len(&self) -> usize {
        self.entries.len()
    }
}
