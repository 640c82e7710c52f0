//! What the sockets have seen, for `/metrics`.

use std::sync::atomic::{AtomicU64, Ordering};

#[derive(Debug, Default)]
pub(super) struct Cell(AtomicU64);

impl Cell {
    pub(super) fn add(&self) {
        // Only ever read as a statistic.
        self.0.fetch_add(1, Ordering::Relaxed);
    }
}

macro_rules! counters {
    ($($(#[$doc:meta])* $name:ident,)*) => {
        #[derive(Debug, Default)]
        pub(super) struct Cells { $(pub(super) $name: Cell,)* }
        /// Counts since the start.
        #[derive(Debug, Clone, Copy, PartialEq, Eq, Default)]
        pub struct Counters {
            $($(#[$doc])* pub $name: u64,)*
            /// Connections open or being opened now.
            pub connections: u64,
        }
        impl Cells {
            pub(super) fn read(&self, connections: usize) -> Counters {
                Counters { $($name: self.$name.0.load(Ordering::Relaxed),)* connections: connections as u64 }
            }
        }
        impl Counters {
            /// Every count with its name, for the metrics page.
            pub fn named(&self) -> Vec<(&'static str, u64)> {
                vec![$((stringify!($name), self.$name),)* ("connections", self.connections)]
            }
        }
    };
}

counters! {
    /// Messages parsed.
    received,
    /// Broken requests handed up to be answered.
    broken,
    /// What was no SIP at all, thrown away.
    garbage,
    /// Datagrams dropped because the inbox was full; their senders repeat them.
    inbox_full,
    /// Keep-alives.
    keepalives,
    /// Messages handed to the kernel or a connection's queue.
    sent,
    /// Requests the network gave back: nobody took the datagram.
    undelivered,
    /// Messages that could not be sent.
    send_failed,
    /// Connections accepted.
    accepted,
    /// TLS handshakes that failed, ours and theirs.
    handshakes_failed,
    /// Connections we opened.
    opened,
    /// Datagrams and connections from networks that are not allowed.
    denied,
    /// Connections refused because there were too many.
    refused,
    /// Connections closed because a message did not come, or did not end, in time.
    stalled,
    /// Connections closed because nothing came for long.
    idled,
    /// Connections closed because the stream could not be framed.
    unframed,
}
