//! What the center has let go and needs again, read from the store beside the loop.

use super::driver::{Inbox, Wake};
use crate::{
    center::{Input, recall::Recall},
    store::Store,
};

/// Reads, and puts what was found into the loop. How many wait is bounded by the center ([`RECALLS_MAX`]).
///
/// [`RECALLS_MAX`]: crate::base::limits::RECALLS_MAX
#[derive(Clone)]
pub struct Recaller {
    store: Store,
    inbox: Inbox,
    runtime: tokio::runtime::Handle,
}

impl Recaller {
    /// Reads from `store`.
    pub fn new(store: Store, inbox: Inbox) -> Self {
        Recaller { store, inbox, runtime: tokio::runtime::Handle::current() }
    }

    /// Reads; the answer, or why there is none, arrives in the loop.
    pub fn recall(&self, asked: Recall) {
        let me = self.clone();
        self.runtime.spawn(async move {
            let found = me.store.recall(&asked.tenant, &asked.wanted).await;
            me.inbox.put(Wake::Center(Input::Recalled(asked.id, found.map_err(|e| e.to_string()))));
        });
    }
}
