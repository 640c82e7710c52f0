//! UDP: one socket, one reading task. Sending goes straight to the kernel.

use std::{io, net::SocketAddr, sync::Arc, time::Duration};

use bytes::Bytes;
use socket2::{Domain, Protocol, Type};
use tokio::net::UdpSocket;

use super::{NetEvent, SendError, Shared};
use crate::{base::limits, sip::msg::Message, sip::transport::Flow};

/// Bytes we ask the kernel to hold for us while the reader is busy: a burst of some thousand requests.
const KERNEL_BUFFER: usize = 4 << 20;

pub(super) struct Socket {
    pub(super) local: SocketAddr,
    socket: Arc<UdpSocket>,
}

impl Socket {
    pub(super) fn start(addr: SocketAddr, shared: &Arc<Shared>) -> io::Result<Socket> {
        let raw = socket2::Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
        if addr.is_ipv6() {
            raw.set_only_v6(true)?;
        }
        // The system may grant less; that is no reason not to start.
        let _ = raw.set_recv_buffer_size(KERNEL_BUFFER);
        let _ = raw.set_send_buffer_size(KERNEL_BUFFER);
        raw.set_nonblocking(true)?;
        raw.bind(&addr.into())?;
        let socket = Arc::new(UdpSocket::from_std(raw.into())?);
        let local = socket.local_addr()?;
        tokio::spawn(read(socket.clone(), local, shared.clone()));
        Ok(Socket { local, socket })
    }

    /// A full kernel buffer loses the datagram, as the network might: the transaction repeats it.
    pub(super) fn send(&self, to: SocketAddr, data: &[u8]) -> Result<(), SendError> {
        match self.socket.try_send_to(data, to) {
            Ok(_) => Ok(()),
            Err(e) if e.kind() == io::ErrorKind::WouldBlock => Ok(()),
            Err(e) => Err(SendError::System(e.kind())),
        }
    }
}

async fn read(socket: Arc<UdpSocket>, local: SocketAddr, shared: Arc<Shared>) {
    // One byte more than allowed, so that a datagram that is too long shows.
    let mut buf = vec![0; limits::SIP_MESSAGE_MAX + 1];
    let mut stop = shared.stop.clone();
    loop {
        let received = tokio::select! {
            _ = stop.changed() => return,
            r = socket.recv_from(&mut buf) => r,
        };
        match received {
            Ok((n, remote)) => take(&buf[..n], Flow::udp(local, remote), &shared),
            // An ICMP error of something sent earlier, or the system short of memory: never a reason to stop listening,
            // and never one to spin.
            Err(e) => {
                tracing::debug!(%local, error = %e, "reading a UDP socket failed");
                tokio::time::sleep(Duration::from_millis(1)).await;
            }
        }
    }
}

fn take(data: &[u8], source: Flow, shared: &Shared) {
    // What keeps a NAT binding open: line ends, or the zeros some phones send.
    if data.iter().all(|b| matches!(b, b'\r' | b'\n' | 0 | b' ')) {
        return shared.counters.keepalives.add();
    }
    let message = Message::parse_datagram(Bytes::copy_from_slice(data));
    if !shared.worth_handing_up(&message, source.remote) {
        return;
    }
    if (shared.inbox)(NetEvent::Received { message, source }).is_err() {
        shared.counters.inbox_full.add();
    }
}
