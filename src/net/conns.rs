//! The table of connections: who sits where, and how many may.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, MutexGuard, PoisonError},
};

use bytes::Bytes;
use tokio::sync::mpsc;

use super::SendError;
use crate::{
    base::{limits, source},
    sip::transport::{ConnId, Flow, PeerId, Transport},
};

/// A connection's number and the two ends of its queue.
pub(super) struct NewConn {
    pub(super) queue: mpsc::Sender<Bytes>,
    pub(super) messages: mpsc::Receiver<Bytes>,
}

/// Holds a connection's place in the table; gives it back when dropped, whatever ended its task.
pub(super) struct Place {
    pub(super) id: ConnId,
    conns: Conns,
}

impl Drop for Place {
    fn drop(&mut self) {
        self.conns.remove(self.id);
    }
}

/// Where a message for a flow goes.
pub(super) enum Seat {
    Open(ConnId, mpsc::Sender<Bytes>),
    New(NewConn, Place),
}

/// Whom a connection leads to: one that was checked for one name is not used for another.
type Far = (Transport, SocketAddr, Option<PeerId>);

/// The names of peers, numbered as they come; they come from the configuration, so there are few, and none is ever dropped.
#[derive(Default)]
pub(super) struct Peers(Mutex<Vec<String>>);

impl Peers {
    pub(super) fn id(&self, domain: &str) -> PeerId {
        let mut names = self.0.lock().unwrap_or_else(PoisonError::into_inner);
        let at = names.iter().position(|n| n.eq_ignore_ascii_case(domain)).unwrap_or_else(|| {
            names.push(domain.to_owned());
            names.len() - 1
        });
        PeerId(at as u32)
    }
    pub(super) fn name(&self, id: PeerId) -> Option<String> {
        self.0.lock().unwrap_or_else(PoisonError::into_inner).get(id.0 as usize).cloned()
    }
}

struct Entry {
    to: Far,
    queue: mpsc::Sender<Bytes>,
}

#[derive(Default)]
struct Table {
    last_id: u64,
    by_id: BTreeMap<ConnId, Entry>,
    by_remote: BTreeMap<Far, ConnId>,
    per_ip: BTreeMap<IpAddr, usize>,
}

/// Shared by the caller's threads and the connection tasks; held for a look-up only, never over an await.
#[derive(Clone)]
pub(super) struct Conns {
    table: Arc<Mutex<Table>>,
    most: usize,
    most_per_ip: usize,
}

impl Conns {
    pub(super) fn new(most: usize, most_per_ip: usize) -> Self {
        Conns { table: Arc::default(), most, most_per_ip }
    }

    fn lock(&self) -> MutexGuard<'_, Table> {
        // Nothing below leaves the table half changed, so a panic elsewhere does not spoil it.
        self.table.lock().unwrap_or_else(PoisonError::into_inner)
    }

    /// A place for an accepted connection; `None` when there are too many: the newest is disappointed.
    pub(super) fn accept(&self, transport: Transport, remote: SocketAddr) -> Option<(NewConn, Place)> {
        let mut table = self.lock();
        let from_there = table.per_ip.get(&source(remote.ip())).copied().unwrap_or(0);
        if table.by_id.len() >= self.most || from_there >= self.most_per_ip {
            return None;
        }
        Some(self.insert(&mut table, (transport, remote, None)))
    }

    /// The queue of the connection a flow names or leads to, or a place for a new one.
    pub(super) fn seat_for(&self, flow: &Flow) -> Result<Seat, SendError> {
        let mut table = self.lock();
        let named = flow.conn.filter(|id| table.by_id.contains_key(id));
        let known = named.or_else(|| table.by_remote.get(&(flow.transport, flow.remote, flow.peer)).copied());
        if let Some((id, entry)) = known.and_then(|id| table.by_id.get_key_value(&id)) {
            return Ok(Seat::Open(*id, entry.queue.clone()));
        }
        if table.by_id.len() >= self.most {
            return Err(SendError::TooManyConnections);
        }
        let (conn, place) = self.insert(&mut table, (flow.transport, flow.remote, flow.peer));
        Ok(Seat::New(conn, place))
    }

    /// The queue of a connection, while it lives.
    pub(super) fn queue(&self, id: ConnId) -> Option<mpsc::Sender<Bytes>> {
        Some(self.lock().by_id.get(&id)?.queue.clone())
    }

    fn insert(&self, table: &mut Table, to: Far) -> (NewConn, Place) {
        table.last_id += 1;
        let id = ConnId(table.last_id);
        let (queue, messages) = mpsc::channel(limits::SIP_STREAM_QUEUE);
        table.by_id.insert(id, Entry { to, queue: queue.clone() });
        table.by_remote.insert(to, id);
        *table.per_ip.entry(source(to.1.ip())).or_default() += 1;
        (NewConn { queue, messages }, Place { id, conns: self.clone() })
    }

    /// Forgets a connection; its writer ends when its queue is empty.
    pub(super) fn remove(&self, id: ConnId) {
        let mut table = self.lock();
        let Some(entry) = table.by_id.remove(&id) else { return };
        if table.by_remote.get(&entry.to) == Some(&id) {
            table.by_remote.remove(&entry.to);
        }
        let ip = source(entry.to.1.ip());
        if let Some(n) = table.per_ip.get_mut(&ip) {
            *n -= 1;
            if *n == 0 {
                table.per_ip.remove(&ip);
            }
        }
    }

    pub(super) fn len(&self) -> usize {
        self.lock().by_id.len()
    }
}
