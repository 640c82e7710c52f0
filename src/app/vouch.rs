//! Who vouches for callers, looked at beside the loop.

use std::sync::Arc;

use media::wire::LegId;

use super::{
    clock::Clock,
    driver::{Inbox, Wake},
};
use crate::{call, center::Input, net::Notary, sip::stir::Seal};

/// Has seals looked at, and puts what was found into the loop. How many wait is bounded by the calls ([`STIR_WAITING_MAX`]).
///
/// [`STIR_WAITING_MAX`]: crate::base::limits::STIR_WAITING_MAX
#[derive(Clone)]
pub struct Verifier {
    notary: Arc<Notary>,
    inbox: Inbox,
    clock: Clock,
    runtime: tokio::runtime::Handle,
}

impl Verifier {
    /// Asks `notary`.
    pub fn new(notary: Notary, inbox: Inbox, clock: Clock) -> Self {
        Verifier { notary: Arc::new(notary), inbox, clock, runtime: tokio::runtime::Handle::current() }
    }

    /// Looks; the answer arrives in the loop.
    pub fn look(&self, leg: LegId, seal: Box<Seal>) {
        let me = self.clone();
        self.runtime.spawn(async move {
            let seal = me.notary.look(me.clock.now(), &seal).await;
            me.inbox.put(Wake::Center(Input::Call(call::Input::Verified { leg, seal })));
        });
    }
}
