//! Ladders on their way into the store: masked and packed off the loop, many in one transaction.
//!
//! They are of use to people, and no call waits for them: when the database is behind, the newest are lost and counted, and the
//! journal, which shares the database, does not see a transaction a call but one in half a second.

use std::{
    sync::{
        Arc,
        atomic::{AtomicU64, Ordering::Relaxed},
    },
    time::Duration,
};

use tokio::{sync::mpsc, task::JoinHandle};

use super::clock::Clock;
use crate::{
    base::limits::LADDERS_WAITING_MAX,
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
    sender: mpsc::Sender<Box<Order>>,
    lost: Arc<AtomicU64>,
}

impl Ladders {
    /// Starts the writer. It ends when every way in is gone and what waits is stored.
    pub fn start(store: Store, clock: Clock) -> (Ladders, JoinHandle<()>) {
        let (sender, receiver) = mpsc::channel(LADDERS_WAITING_MAX);
        let lost = Arc::new(AtomicU64::new(0));
        let writer = tokio::spawn(write(store, clock, receiver, lost.clone()));
        (Ladders { sender, lost }, writer)
    }

    /// Takes one, without waiting.
    pub fn put(&self, order: Box<Order>) {
        if self.sender.try_send(order).is_err() && self.lost.fetch_add(1, Relaxed).is_multiple_of(1_000) {
            tracing::warn!("ladders of calls are lost: the database is behind");
        }
    }
}

async fn write(store: Store, clock: Clock, mut receiver: mpsc::Receiver<Box<Order>>, lost: Arc<AtomicU64>) {
    let mut orders = Vec::new();
    while let Some(first) = receiver.recv().await {
        orders.push(first);
        // At the end nobody waits for company.
        if !receiver.is_closed() {
            tokio::time::sleep(GATHER).await;
        }
        while orders.len() < BATCH
            && let Ok(order) = receiver.try_recv()
        {
            orders.push(order);
        }
        let at = clock.now().wall;
        let rows = orders.drain(..).map(|order| {
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
    }
}
