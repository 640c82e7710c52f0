//! UDP: one socket, one reading task. Sending goes straight to the kernel.

use std::{io, net::SocketAddr, os::fd::AsFd, sync::Arc, time::Duration};

use bytes::Bytes;
use media::GivenBack;
use socket2::{Domain, Protocol, Type};
use tokio::{io::Interest, net::UdpSocket};

use super::{NetEvent, SendError, Shared, stun};
use crate::{
    base::{Acl, limits},
    sip::msg::{Message, Method},
    sip::transport::Flow,
};

/// Bytes we ask the kernel to hold for us while the reader is busy: a burst of some thousand requests.
const KERNEL_BUFFER: usize = 4 << 20;
/// Bytes of a datagram that came back which are looked at: its first lines.
const QUOTE: usize = 1_024;
/// Datagrams that came back which are looked at in a row.
const BACK_AT_ONCE: usize = 64;

pub(super) struct Socket {
    pub(super) local: SocketAddr,
    socket: Arc<UdpSocket>,
}

impl Socket {
    pub(super) fn start(addr: SocketAddr, acl: Acl, shared: &Arc<Shared>) -> io::Result<Socket> {
        let raw = socket2::Socket::new(Domain::for_address(addr), Type::DGRAM, Some(Protocol::UDP))?;
        if addr.is_ipv6() {
            raw.set_only_v6(true)?;
        }
        // The system may grant less; that is no reason not to start.
        let _ = raw.set_recv_buffer_size(KERNEL_BUFFER);
        let _ = raw.set_send_buffer_size(KERNEL_BUFFER);
        // Without it a peer that is not there is found by its silence.
        if let Err(error) = media::keep_given_back(raw.as_fd(), addr.is_ipv6()) {
            tracing::warn!(%addr, %error, "the system does not say which datagrams come back");
        }
        raw.set_nonblocking(true)?;
        raw.bind(&addr.into())?;
        let socket = Arc::new(UdpSocket::from_std(raw.into())?);
        let local = socket.local_addr()?;
        tokio::spawn(read(socket.clone(), local, acl, shared.clone()));
        Ok(Socket { local, socket })
    }

    /// A full kernel buffer loses the datagram, as the network might: the transaction repeats it.
    pub(super) fn send(&self, to: SocketAddr, data: &[u8]) -> Result<(), SendError> {
        let mut again = true;
        loop {
            match self.socket.try_send_to(data, to) {
                Ok(_) => return Ok(()),
                Err(e) if e.kind() == io::ErrorKind::WouldBlock => return Ok(()),
                // What may have come back is an earlier datagram, to anybody: this one has not been sent.
                Err(_) if again => again = false,
                Err(e) => return Err(SendError::System(e.kind())),
            }
        }
    }
}

async fn read(socket: Arc<UdpSocket>, local: SocketAddr, acl: Acl, shared: Arc<Shared>) {
    // One byte more than allowed, so that a datagram that is too long shows.
    let mut buf = vec![0; limits::SIP_MESSAGE_MAX + 1];
    let mut stop = shared.stop.clone();
    let mut pings = stun::Pings::default();
    loop {
        let received = tokio::select! {
            _ = stop.changed() => return,
            _ = socket.ready(Interest::ERROR) => {
                // Until there is nothing more: then the next one wakes us.
                let _ = socket.try_io(Interest::ERROR, || match take_back(&socket, &mut buf, &shared) {
                    0 => Err(io::ErrorKind::WouldBlock.into()),
                    _ => Ok(()),
                });
                continue;
            }
            r = socket.recv_from(&mut buf) => r,
        };
        match received {
            Ok((_, remote)) if !shared.admits(&acl, remote) => shared.counters.denied.add(),
            Ok((n, remote)) if stun::looks_like(&buf[..n]) => {
                shared.counters.keepalives.add();
                if let Some(answer) = pings.answer(&buf[..n], remote) {
                    // Lost, it is asked for again.
                    let _ = socket.try_send_to(&answer, remote);
                }
            }
            Ok((n, remote)) => take(&buf[..n], Flow::udp(local, remote), &shared),
            // A datagram sent earlier came back, or the system is short of memory: never a reason to stop listening, and
            // never one to spin.
            Err(e) => {
                if take_back(&socket, &mut buf, &shared) == 0 {
                    tracing::debug!(%local, error = %e, "reading a UDP socket failed");
                    tokio::time::sleep(Duration::from_millis(1)).await;
                }
            }
        }
    }
}

/// Looks at what has come back; how many datagrams did.
fn take_back(socket: &UdpSocket, buf: &mut [u8], shared: &Shared) -> usize {
    let quote = &mut buf[..QUOTE];
    for n in 0..BACK_AT_ONCE {
        match media::given_back(socket.as_fd(), quote) {
            None => return n,
            Some(GivenBack::Other) => {}
            Some(GivenBack::Unreachable(len)) => {
                if let Some((method, branch)) = request_in(&quote[..len]) {
                    shared.counters.undelivered.add();
                    // When nobody takes it the transaction finds out by itself, later.
                    let _ = (shared.inbox)(NetEvent::Undelivered { method, branch });
                }
            }
        }
    }
    BACK_AT_ONCE
}

/// Which request the beginning of a datagram is of. Anybody can send us a quotation; the branch shows that the datagram was seen.
fn request_in(quote: &[u8]) -> Option<(Method, String)> {
    let text = String::from_utf8_lossy(quote);
    let (method, rest) = text.split_once(' ')?;
    let (_, rest) = rest.split_once(";branch=")?;
    let end = rest.find([';', ',', '\r', '\n', ' '])?;
    Some((Method::parse(method)?, rest[..end].to_owned()))
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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_quotation_names_its_transaction_or_nothing() {
        let invite =
            b"INVITE sip:1@a.example SIP/2.0\r\nVia: SIP/2.0/UDP 192.0.2.1:5060;branch=z9hG4bKabc;rport\r\nFrom: <sip:b";
        assert_eq!(request_in(invite), Some((Method::Invite, "z9hG4bKabc".to_owned())));
        assert_eq!(request_in(&invite[..70]), None, "a branch that is cut off is no branch");
        assert_eq!(request_in(b"SIP/2.0 200 OK\r\nVia: SIP/2.0/UDP 192.0.2.1;branch=z9hG4bKabc\r\n"), None);
        assert_eq!(request_in(b""), None);
    }
}
