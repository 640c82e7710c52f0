//! Ladders on their way into the store: masked and packed off the loop, many in one transaction.
//!
//! They are of use to people, and no call waits for them: when the database is behind, the newest are lost and counted, and the
//! journal, which shares the database, does not see a transaction a call but one in half a second.

use std::{
    collections::BTreeMap,
    sync::{
        Arc, Mutex, PoisonError,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinHandle};

use super::clock::Clock;
use crate::{
    base::{InteractionId, TenantId, limits::LADDERS_WAITING_MAX},
    center::ladder::Order,
    store::{LadderRow, Store},
};

/// How long the first of a batch waits for others.
const GATHER: Duration = Duration::from_millis(500);
/// Ladders of one transaction.
const BATCH: usize = 256;
/// A database that does not take a batch is tried so often, a second between.
const TRIES: u32 = 5;

/// The way in, for the loop.
#[derive(Debug, Clone)]
pub struct Ladders {
    sender: mpsc::Sender<InteractionId>,
    on_their_way: OnTheirWay,
    lost: Arc<AtomicU64>,
}

/// What is no longer with the center and not yet in the store; read by whoever looks in between. No more than fit the way.
type OnTheirWay = Arc<Mutex<BTreeMap<InteractionId, Arc<Order>>>>;

impl Ladders {
    /// Starts the writer. It ends when every way in is gone and what waits is stored.
    pub fn start(store: Store, clock: Clock) -> (Ladders, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(LADDERS_WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let on_their_way = OnTheirWay::default();
        let writer = tokio::spawn(write(store, clock, receiver, on_their_way.clone(), lost.clone()));
        (Ladders { sender, on_their_way, lost }, writer)
    }

    /// Takes one, without waiting.
    pub fn put(&self, order: Box<Order>) {
        let id = order.interaction;
        let Ok(place) = self.sender.try_reserve() else {
            if self.lost.fetch_add(1, Relaxed).is_multiple_of(1_000) {
                tracing::warn!("ladders of calls are lost: the database is behind");
            }
            return;
        };
        held(&self.on_their_way).insert(id, order.into());
        place.send(id);
    }

    /// One that is not stored yet.
    pub fn look(&self, tenant: &TenantId, id: InteractionId) -> Option<Order> {
        held(&self.on_their_way).get(&id).filter(|o| o.tenant == *tenant).map(|o| Order::clone(o))
    }
}

fn held(way: &OnTheirWay) -> std::sync::MutexGuard<'_, BTreeMap<InteractionId, Arc<Order>>> {
    way.lock().unwrap_or_else(PoisonError::into_inner)
}

async fn write(store: Store, clock: Clock, mut receiver: mpsc::Receiver<InteractionId>, way: OnTheirWay, lost: Arc<AtomicU64>) {
    let mut ids = Vec::new();
    while let Some(first) = receiver.recv().await {
        ids.push(first);
        // At the end nobody waits for company.
        if !receiver.is_closed() {
            tokio::time::sleep(GATHER).await;
        }
        while ids.len() < BATCH
            && let Ok(id) = receiver.try_recv()
        {
            ids.push(id);
        }
        let at = clock.now().wall;
        let orders: Vec<Arc<Order>> = ids.drain(..).filter_map(|id| held(&way).get(&id).cloned()).collect();
        let rows = orders.iter().map(|order| {
            let ladder = order.ladder();
            let (messages, body) = (ladder.steps.len(), ladder.pack());
            LadderRow { tenant: order.tenant.clone(), interaction: order.interaction, at, messages, body }
        });
        let rows: Vec<LadderRow> = rows.collect();
        for n in 1.. {
            match store.ladder_put(rows.clone()).await {
                Ok(()) => break,
                Err(error) if n == TRIES => {
                    lost.fetch_add(rows.len() as u64, Relaxed);
                    tracing::error!(%error, ladders = rows.len(), "ladders of calls were not kept");
                    break;
                }
                Err(error) => {
                    tracing::debug!(%error, "ladders will be tried again");
                    tokio::time::sleep(Duration::from_secs(1)).await;
                }
            }
        }
        // Another may have come for the same contact meanwhile: that one stays.
        let mut held = held(&way);
        for stored in &orders {
            if held.get(&stored.interaction).is_some_and(|o| Arc::ptr_eq(o, stored)) {
                held.remove(&stored.interaction);
            }
        }
    }
}
