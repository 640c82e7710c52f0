//! Trunks: carriers and other exchanges we call by and are called from.
//!
//! | file | subject |
//! |---|---|
//! | `config` | what an administrator decides about one |
//! | `registration` | our registration with it |
//! | `health` | whether it is there |
//! | `rate` | new calls per second |
//! | `line` | all of that for one trunk, and what has happened on it |
//! | `keep` | [`Calls`](super::Calls) keeps registrations and health going |
//! | `guard`, `premium`, `books` | the gate to the outside: who may call where, and how much; what a restart knows of it |
//! | `numbers` | how it writes numbers |
//! | `identity` | who a call is from, read and written |
//! | `stir` | vouching for callers |
//! | `verify` | who vouches for those who call us |
//! | `headers` | what else it wants to be told |
//! | `hunt` | a call goes out: which trunk of a group, and which next |
//!
//! Tests: beside the machines; whole walks with carriers that refuse, fall silent and come back in `sim::tests::trunks`.

mod books;
mod config;
mod guard;
mod headers;
mod health;
mod hunt;
pub(super) mod identity;
mod keep;
mod line;
mod numbers;
mod premium;
mod rate;
mod registration;
mod stir;
mod verify;

use std::collections::BTreeMap;

pub use books::{Booked, Books, Over};
pub use config::{Failover, Login, Member, Options, Policy, Register};
pub use guard::{Caps, Decided, Denied, Permit, PermitId, Rate, Toll, Wish, shown};
pub use headers::{HeaderRule, problems as header_problems};
pub use health::Level;
pub use identity::{Identity, Tell};
pub use line::{Counts, Snapshot};
pub use numbers::{Form, Numbers};
pub use stir::{Demand, Stir, Voucher};
pub use verify::Verify;

pub(super) use keep::host;

use self::{hunt::Hunt, keep::Asked, line::Line};
use crate::{
    base::{Deadlines, Mono, TenantId, TrunkId},
    sip::{stack::AskKey, stir::Once},
};
use media::wire::LegId;

/// A trunk or a group of them.
pub type Key = (TenantId, TrunkId);

/// Every trunk of a node, and the calls that are looking for one.
#[derive(Debug, Default)]
pub(super) struct Trunks {
    lines: BTreeMap<Key, Line>,
    asks: BTreeMap<AskKey, (Key, Asked)>,
    hunts: BTreeMap<LegId, Hunt>,
    pub(super) guard: guard::Guard,
    /// Calls that may last only so long.
    cut: Deadlines<LegId>,
    /// Calls whose callers are being verified, and until when.
    verifying: BTreeMap<LegId, verify::Waiting>,
    verifying_until: Deadlines<LegId>,
    /// What was signed for calls of late: each serves one.
    once: Once,
    /// Calls nothing has come back for yet.
    silence: Deadlines<LegId>,
    next_ask: u64,
    /// The settings have changed since the last tick.
    stale: bool,
}

impl Trunks {
    pub(super) fn new() -> Self {
        Trunks { stale: true, ..Trunks::default() }
    }

    /// The settings have changed; the next tick looks at them.
    pub(super) fn changed(&mut self) {
        self.stale = true;
    }

    /// When a tick is wanted.
    pub(super) fn deadline(&self, settings: &super::CallSettings) -> Option<Mono> {
        if self.stale {
            return Some(Mono(0));
        }
        let lines = self.lines.iter().filter_map(|(key, l)| l.due(settings.trunks.get(key)?));
        lines.chain(self.silence.next()).chain(self.cut.next()).chain(self.verifying_until.next()).min()
    }
}
