//! The floor: what the kernel's own receive and send of a packet cost, a connected socket per leg, and nothing else.

use std::{
    io::{self, BufRead, Read},
    net::{Ipv4Addr, SocketAddr, UdpSocket},
};

use rustix::event::epoll;

/// The line that ends the list of pairs.
const GO: &str = "go";
/// Token of the commander.
const COMMANDER: u64 = u64::MAX;

/// The child: reads `ADDRESS ADDRESS` for each call, answers the two ports, and after `go` forwards until its input ends.
pub fn serve() -> io::Result<()> {
    let mut sockets = Vec::new();
    for line in io::stdin().lock().lines() {
        let line = line?;
        if line == GO {
            break;
        }
        let mut ports = Vec::new();
        for address in line.split_whitespace() {
            let to: SocketAddr = address.parse().map_err(io::Error::other)?;
            let s = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
            s.connect(to)?;
            s.set_nonblocking(true)?;
            ports.push(s.local_addr()?.port().to_string());
            sockets.push(s);
        }
        crate::say(&ports.join(" "));
    }
    let poll = epoll::create(epoll::CreateFlags::CLOEXEC)?;
    epoll::add(&poll, io::stdin(), epoll::EventData::new_u64(COMMANDER), epoll::EventFlags::IN)?;
    for (i, s) in sockets.iter().enumerate() {
        epoll::add(&poll, s, epoll::EventData::new_u64(i as u64), epoll::EventFlags::IN)?;
    }
    let mut ready = Vec::with_capacity(512);
    let mut datagram = [0; 2_048];
    loop {
        ready.clear();
        epoll::wait(&poll, rustix::buffer::spare_capacity(&mut ready), None)?;
        for event in &ready {
            if event.data.u64() == COMMANDER {
                // Nothing is ever said but the end.
                if io::stdin().read(&mut datagram)? == 0 {
                    return Ok(());
                }
                continue;
            }
            let i = event.data.u64() as usize;
            // An empty socket or a peer that is gone: a lost packet.
            if let Ok(n) = sockets[i].recv(&mut datagram) {
                let _ = sockets[i ^ 1].send(&datagram[..n]);
            }
        }
    }
}
