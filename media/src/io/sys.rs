//! The system calls the standard library has no name for, or a dearer one: epoll, eventfd, datagrams of a socket with one peer,
//! pinning a thread, the limit of open files, and what the network gives back.
//!
//! The only file of the crate with `unsafe` in it; every block says why it holds.
#![allow(unsafe_code)]

use std::{
    fs::File,
    io::{self, Read, Write},
    net::{IpAddr, Ipv4Addr, Ipv6Addr, UdpSocket},
    os::fd::{AsRawFd, BorrowedFd, FromRawFd, OwnedFd},
    sync::atomic::{AtomicBool, Ordering::AcqRel},
    time::Duration,
};

use crate::limits::{DATAGRAM_MAX, GATHER_MAX};

/// Many sockets waited for at once.
#[derive(Debug)]
pub struct Poll(OwnedFd);

/// Room for what is ready.
pub struct Ready(Box<[libc::epoll_event]>);

impl std::fmt::Debug for Ready {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Ready({})", self.0.len())
    }
}

impl Ready {
    /// Room for so many at once.
    pub fn new(most: usize) -> Self {
        Self(vec![libc::epoll_event { events: 0, u64: 0 }; most].into())
    }

    /// The token of the `i`th.
    pub fn token(&self, i: usize) -> u64 {
        self.0[i].u64
    }
}

fn owned(fd: i32) -> io::Result<OwnedFd> {
    if fd < 0 {
        return Err(io::Error::last_os_error());
    }
    // SAFETY: the caller got `fd` from the system just now and nobody else has it.
    Ok(unsafe { OwnedFd::from_raw_fd(fd) })
}

impl Poll {
    /// A new one.
    pub fn new() -> io::Result<Self> {
        // SAFETY: takes no pointer.
        owned(unsafe { libc::epoll_create1(libc::EPOLL_CLOEXEC) }).map(Self)
    }

    /// Say `token` whenever `fd` can be read, until it is removed or closed.
    pub fn add(&self, fd: BorrowedFd<'_>, token: u64) -> io::Result<()> {
        let mut event = libc::epoll_event { events: libc::EPOLLIN as u32, u64: token };
        // SAFETY: both descriptors are open (borrowed), and `event` lives until the call returns.
        match unsafe { libc::epoll_ctl(self.0.as_raw_fd(), libc::EPOLL_CTL_ADD, fd.as_raw_fd(), &mut event) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// Say nothing of `fd` for a while, or again from now on: also what came meanwhile.
    pub fn heed(&self, fd: BorrowedFd<'_>, token: u64, wanted: bool) -> io::Result<()> {
        let mut event = libc::epoll_event { events: if wanted { libc::EPOLLIN as u32 } else { 0 }, u64: token };
        // SAFETY: both descriptors are open (borrowed), and `event` lives until the call returns.
        match unsafe { libc::epoll_ctl(self.0.as_raw_fd(), libc::EPOLL_CTL_MOD, fd.as_raw_fd(), &mut event) } {
            0 => Ok(()),
            _ => Err(io::Error::last_os_error()),
        }
    }

    /// No more of this one.
    pub fn remove(&self, fd: BorrowedFd<'_>) {
        // SAFETY: both descriptors are open (borrowed); the event pointer may be null for a removal.
        unsafe { libc::epoll_ctl(self.0.as_raw_fd(), libc::EPOLL_CTL_DEL, fd.as_raw_fd(), std::ptr::null_mut()) };
    }

    /// Wait until something is ready or the time is over; how many are.
    pub fn wait(&self, ready: &mut Ready, most: Duration) -> usize {
        let ms = most.as_micros().div_ceil(1_000).min(1_000) as i32;
        // SAFETY: the pointer and the length belong to one slice, which nobody else has during the call.
        let n = unsafe { libc::epoll_wait(self.0.as_raw_fd(), ready.0.as_mut_ptr(), ready.0.len() as i32, ms) };
        // Interrupted by a signal is as good as nothing ready.
        usize::try_from(n).unwrap_or(0)
    }
}

/// Gets a thread out of [`Poll::wait`].
#[derive(Debug)]
pub struct Waker {
    event: File,
    /// It was woken and has not noticed: once more makes no difference and costs a system call.
    woken: AtomicBool,
}

impl Waker {
    /// A new one.
    pub fn new() -> io::Result<Self> {
        // SAFETY: takes no pointer.
        let fd = owned(unsafe { libc::eventfd(0, libc::EFD_CLOEXEC | libc::EFD_NONBLOCK) })?;
        Ok(Self { event: fd.into(), woken: AtomicBool::new(false) })
    }

    /// Wake it. What it is woken for must be there before.
    pub fn wake(&self) {
        if !self.woken.swap(true, AcqRel) {
            // It can fail only when it is so full of wakings that one more makes no difference.
            let _ = (&self.event).write(&1u64.to_ne_bytes());
        }
    }

    /// Let so much time pass, unless it is woken meanwhile.
    pub fn rest(&self, time: Duration) {
        let mut fd = libc::pollfd { fd: self.event.as_raw_fd(), events: libc::POLLIN, revents: 0 };
        let time = libc::timespec { tv_sec: time.as_secs() as libc::time_t, tv_nsec: time.subsec_nanos().into() };
        // SAFETY: one descriptor, which is open, and a time, both local variables; the signal mask may be null. Whether it was
        // woken, interrupted or the time is over makes no difference.
        unsafe { libc::ppoll(&mut fd, 1, &time, std::ptr::null()) };
    }

    /// It is awake. Look for what it was woken for after this, not before.
    pub fn clear(&self) {
        // Nothing to read means it was cleared already.
        let _ = (&self.event).read(&mut [0; 8]);
        // In this order: whoever wakes it between the two lines has left a message that will be found; the other way round the
        // mark could stay with nothing to read, and nobody would ever wake it again.
        self.woken.swap(false, AcqRel);
    }

    /// To wait for.
    pub fn fd(&self) -> BorrowedFd<'_> {
        std::os::fd::AsFd::as_fd(&self.event)
    }
}

/// The next datagram of a connected socket, without waiting and without asking who sent it: how long it is.
///
/// Not by `recv` of the C library, which first makes sure that the thread could be cancelled meanwhile: two atomic operations
/// for each call in a process with threads.
pub fn receive(socket: &UdpSocket, room: &mut [u8]) -> io::Result<usize> {
    let (to, length, nobody) = (room.as_mut_ptr(), room.len(), std::ptr::null_mut::<libc::c_void>());
    // SAFETY: the descriptor is open (borrowed); pointer and length belong to one slice, which nobody else has during the call;
    // the sender's address may be null. All arguments are of the width of a register.
    let n = unsafe {
        let flags = libc::MSG_DONTWAIT as libc::c_long;
        libc::syscall(libc::SYS_recvfrom, socket.as_raw_fd() as libc::c_long, to, length, flags, nobody, nobody)
    };
    usize::try_from(n).map_err(|_| io::Error::last_os_error())
}

/// Send to the peer of a connected socket, without waiting. As [`receive`], not by the C library's `send`.
pub fn send(socket: &UdpSocket, packet: &[u8]) -> io::Result<()> {
    let (from, length, nobody) = (packet.as_ptr(), packet.len(), std::ptr::null::<libc::c_void>());
    // SAFETY: the descriptor is open (borrowed); pointer and length belong to one slice; the receiver's address may be null and
    // has no length then. All arguments are of the width of a register.
    let n = unsafe {
        let flags = (libc::MSG_DONTWAIT | libc::MSG_NOSIGNAL) as libc::c_long;
        let fd = socket.as_raw_fd() as libc::c_long;
        libc::syscall(libc::SYS_sendto, fd, from, length, flags, nobody, 0 as libc::c_long)
    };
    if n < 0 { Err(io::Error::last_os_error()) } else { Ok(()) }
}

/// Datagrams of one connected socket, taken with one system call.
#[derive(Debug)]
pub struct Gathered {
    rooms: Box<[[u8; DATAGRAM_MAX]; GATHER_MAX]>,
    /// Of each: how long it is, and when the kernel got it.
    found: [(usize, Option<Duration>); GATHER_MAX],
}

impl Default for Gathered {
    fn default() -> Self {
        Self { rooms: Box::new([[0; DATAGRAM_MAX]; GATHER_MAX]), found: [(0, None); GATHER_MAX] }
    }
}

impl Gathered {
    /// Take what is there, up to [`GATHER_MAX`]; how many.
    pub fn receive(&mut self, socket: &UdpSocket) -> usize {
        /// Words for a control message with a time stamp: `CMSG_SPACE(size_of::<timespec>())` is four on a system of 64 bits.
        const CONTROL: usize = 8;
        let mut control = [[0u64; CONTROL]; GATHER_MAX];
        // SAFETY: both are plain numbers and pointers, for which all zeroes (null) is a value.
        let (mut iov, mut headers): ([libc::iovec; GATHER_MAX], [libc::mmsghdr; GATHER_MAX]) = unsafe { std::mem::zeroed() };
        for (((h, v), room), c) in headers.iter_mut().zip(&mut iov).zip(self.rooms.iter_mut()).zip(&mut control) {
            *v = libc::iovec { iov_base: room.as_mut_ptr().cast(), iov_len: room.len() };
            h.msg_hdr.msg_iov = v;
            h.msg_hdr.msg_iovlen = 1;
            h.msg_hdr.msg_control = c.as_mut_ptr().cast();
            h.msg_hdr.msg_controllen = size_of_val(c);
        }
        let (at, most) = (headers.as_mut_ptr(), GATHER_MAX as u32);
        // SAFETY: `headers` has so many entries; their pointers are to `iov`, `control` and the rooms, which are neither moved nor
        // dropped before the call returns, with the lengths those have. The time to wait may be null.
        let n = unsafe { libc::recvmmsg(socket.as_raw_fd(), at, most, libc::MSG_DONTWAIT, std::ptr::null_mut()) };
        let n = usize::try_from(n).unwrap_or(0);
        for (found, h) in self.found.iter_mut().zip(&headers[..n]) {
            *found = (h.msg_len as usize, stamp(&h.msg_hdr));
        }
        n
    }

    /// The `i`th of those, and when it came: since 1970. `None`: the kernel was not asked to note it ([`note_arrival`]).
    pub fn get(&mut self, i: usize) -> (&mut [u8], Option<Duration>) {
        let (length, at) = self.found[i];
        (&mut self.rooms[i][..length.min(DATAGRAM_MAX)], at)
    }
}

/// The time stamp among the control messages of what was received.
fn stamp(message: &libc::msghdr) -> Option<Duration> {
    // SAFETY: the caller's `message` was filled in by the kernel and its control buffer is alive; the macros walk the control
    // messages within `msg_controllen`, and the kernel writes the structure that belongs to each level and type.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(message);
        while !header.is_null() {
            if ((*header).cmsg_level, (*header).cmsg_type) == (libc::SOL_SOCKET, libc::SCM_TIMESTAMPNS) {
                let time = libc::CMSG_DATA(header).cast::<libc::timespec>().read_unaligned();
                return Some(Duration::new(u64::try_from(time.tv_sec).ok()?, u32::try_from(time.tv_nsec).ok()?));
            }
            header = libc::CMSG_NXTHDR(message, header);
        }
    }
    None
}

/// Have the kernel note when each datagram of a socket comes, or no longer. For [`Gathered`].
pub fn note_arrival(socket: &UdpSocket, on: bool) -> io::Result<()> {
    let (value, size) = (i32::from(on), size_of::<i32>() as u32);
    let option = std::ptr::from_ref(&value).cast();
    // SAFETY: the descriptor is open (borrowed); pointer and size are those of a local variable.
    match unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, libc::SO_TIMESTAMPNS, option, size) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// As many open files as the system lets us have. Where it does not, opening a leg fails with its reason when they run out.
pub fn raise_file_limit() {
    let mut limit = libc::rlimit { rlim_cur: 0, rlim_max: 0 };
    // SAFETY: the pointers are those of a local variable.
    unsafe {
        if libc::getrlimit(libc::RLIMIT_NOFILE, &mut limit) == 0 {
            limit.rlim_cur = limit.rlim_max;
            libc::setrlimit(libc::RLIMIT_NOFILE, &limit);
        }
    }
}

/// The calling thread lets others go first when the processors are busy.
pub fn stand_back() {
    // SAFETY: takes no pointer. On this system a thread has a priority of its own, and 0 means the caller. Where it is refused
    // the thread runs all the same.
    unsafe { libc::setpriority(libc::PRIO_PROCESS, 0, 10) };
}

/// Keep the calling thread on one of the processors it may run on. `false` where the system says no: it runs all the same.
pub fn pin(nth: usize) -> bool {
    // SAFETY: an all-zero set is a valid, empty set; the pointers and the size are those of local variables.
    unsafe {
        let mut allowed: libc::cpu_set_t = std::mem::zeroed();
        if libc::sched_getaffinity(0, size_of::<libc::cpu_set_t>(), &mut allowed) != 0 {
            return false;
        }
        let usable: Vec<usize> = (0..libc::CPU_SETSIZE as usize).filter(|c| libc::CPU_ISSET(*c, &allowed)).collect();
        if usable.is_empty() {
            return false;
        }
        let mut one: libc::cpu_set_t = std::mem::zeroed();
        libc::CPU_SET(usable[nth % usable.len()], &mut one);
        libc::sched_setaffinity(0, size_of::<libc::cpu_set_t>(), &one) == 0
    }
}

/// Take back a `connect`: packets of everybody arrive again.
pub fn disconnect(socket: &UdpSocket) -> io::Result<()> {
    // SAFETY: a socket address is plain numbers, for which all zeroes is a value.
    let mut nobody: libc::sockaddr = unsafe { std::mem::zeroed() };
    nobody.sa_family = libc::AF_UNSPEC as libc::sa_family_t;
    // SAFETY: the descriptor is open (borrowed); pointer and size are those of a local variable.
    match unsafe { libc::connect(socket.as_raw_fd(), &nobody, size_of::<libc::sockaddr>() as u32) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Have the kernel note to which of our addresses each packet came, or no longer. For [`came_to`].
pub fn note_destination(socket: &UdpSocket, v6: bool, on: bool) -> io::Result<()> {
    let value = i32::from(on);
    let (level, option) = if v6 { (libc::IPPROTO_IPV6, libc::IPV6_RECVPKTINFO) } else { (libc::IPPROTO_IP, libc::IP_PKTINFO) };
    let size = size_of::<i32>() as u32;
    // SAFETY: the descriptor is open (borrowed); pointer and size are those of a local variable.
    match unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, std::ptr::from_ref(&value).cast(), size) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// Have the kernel keep what the network gives back of what a UDP socket sends (ICMP), for [`given_back`]. The next send and the
/// next receive fail once for each.
pub fn keep_given_back(socket: BorrowedFd<'_>, v6: bool) -> io::Result<()> {
    let value = 1i32;
    let (level, option) = if v6 { (libc::IPPROTO_IPV6, libc::IPV6_RECVERR) } else { (libc::IPPROTO_IP, libc::IP_RECVERR) };
    let size = size_of::<i32>() as u32;
    // SAFETY: the descriptor is open (borrowed); pointer and size are those of a local variable.
    match unsafe { libc::setsockopt(socket.as_raw_fd(), level, option, std::ptr::from_ref(&value).cast(), size) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}

/// What the network says of a datagram.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum GivenBack {
    /// Host, network, port or protocol cannot be reached (RFC 3261 section 18.4). So many bytes of its beginning are quoted.
    Unreachable(usize),
    /// Something that does not mean that it was lost.
    Other,
}

/// Takes the next datagram the network gave back, its beginning into `quote`. `None`: there is none.
pub fn given_back(socket: BorrowedFd<'_>, quote: &mut [u8]) -> Option<GivenBack> {
    let mut control = [0u64; 32];
    let mut iov = libc::iovec { iov_base: quote.as_mut_ptr().cast(), iov_len: quote.len() };
    // SAFETY: a message header is plain numbers and pointers, for which all zeroes (null) is a value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &mut iov;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    // SAFETY: the pointers of `message` are to local variables, and to the caller's slice, with the lengths those have.
    let n = unsafe { libc::recvmsg(socket.as_raw_fd(), &mut message, libc::MSG_ERRQUEUE | libc::MSG_DONTWAIT) };
    let n = usize::try_from(n).ok()?;
    // SAFETY: `message` was filled in by the call above; the macros walk the control messages within `msg_controllen`, and the
    // kernel writes the structure that belongs to each level and type.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(&message);
        while !header.is_null() {
            let kind = ((*header).cmsg_level, (*header).cmsg_type);
            if matches!(kind, (libc::IPPROTO_IP, libc::IP_RECVERR) | (libc::IPPROTO_IPV6, libc::IPV6_RECVERR)) {
                let said = libc::CMSG_DATA(header).cast::<libc::sock_extended_err>().read_unaligned();
                // ICMP type 3 but for "too big" (code 4, RFC 792), ICMPv6 type 1 (RFC 4443).
                let unreachable = match said.ee_origin {
                    libc::SO_EE_ORIGIN_ICMP => said.ee_type == 3 && said.ee_code != 4,
                    libc::SO_EE_ORIGIN_ICMP6 => said.ee_type == 1,
                    _ => false,
                };
                return Some(if unreachable { GivenBack::Unreachable(n) } else { GivenBack::Other });
            }
            header = libc::CMSG_NXTHDR(&message, header);
        }
    }
    Some(GivenBack::Other)
}

/// To which of our addresses the next packet of the socket came; the packet stays where it is. `None`: no packet, or the
/// kernel was not asked to note it.
pub fn came_to(socket: &UdpSocket) -> Option<IpAddr> {
    let (mut byte, mut control) = ([0u8; 1], [0u64; 16]);
    let mut iov = libc::iovec { iov_base: byte.as_mut_ptr().cast(), iov_len: byte.len() };
    // SAFETY: a message header is plain numbers and pointers, for which all zeroes (null) is a value.
    let mut message: libc::msghdr = unsafe { std::mem::zeroed() };
    message.msg_iov = &mut iov;
    message.msg_iovlen = 1;
    message.msg_control = control.as_mut_ptr().cast();
    message.msg_controllen = size_of_val(&control);
    // SAFETY: the pointers of `message` are to local variables with the lengths those have.
    if unsafe { libc::recvmsg(socket.as_raw_fd(), &mut message, libc::MSG_PEEK | libc::MSG_DONTWAIT) } < 0 {
        return None;
    }
    // SAFETY: `message` was filled in by the call above; the macros walk the control messages within `msg_controllen`, and the
    // kernel writes the structure that belongs to each level and type.
    unsafe {
        let mut header = libc::CMSG_FIRSTHDR(&message);
        while !header.is_null() {
            let data = libc::CMSG_DATA(header);
            match ((*header).cmsg_level, (*header).cmsg_type) {
                (libc::IPPROTO_IP, libc::IP_PKTINFO) => {
                    let info = data.cast::<libc::in_pktinfo>().read_unaligned();
                    return Some(Ipv4Addr::from(u32::from_be(info.ipi_addr.s_addr)).into());
                }
                (libc::IPPROTO_IPV6, libc::IPV6_PKTINFO) => {
                    let info = data.cast::<libc::in6_pktinfo>().read_unaligned();
                    return Some(IpAddr::from(Ipv6Addr::from(info.ipi6_addr.s6_addr)).to_canonical());
                }
                _ => header = libc::CMSG_NXTHDR(&message, header),
            }
        }
    }
    None
}

#[cfg(test)]
mod tests {
    use super::*;
    use std::sync::mpsc::sync_channel;

    #[test]
    fn what_gathered_in_a_socket_is_taken_at_once_and_each_says_when_it_came() {
        let pair = || UdpSocket::bind((Ipv4Addr::LOCALHOST, 0)).expect("a port");
        let (ours, theirs) = (pair(), pair());
        ours.connect(theirs.local_addr().expect("bound")).expect("connected");
        theirs.connect(ours.local_addr().expect("bound")).expect("connected");
        note_arrival(&ours, true).expect("possible");
        let mut gathered = Gathered::default();
        assert_eq!(gathered.receive(&ours), 0, "it does not wait");
        for n in 0..GATHER_MAX as u8 + 1 {
            send(&theirs, &[n; 3]).expect("sent");
        }
        assert_eq!(gathered.receive(&ours), GATHER_MAX);
        let mut before = Duration::ZERO;
        for n in 0..GATHER_MAX {
            let (bytes, at) = gathered.get(n);
            assert_eq!(bytes, [n as u8; 3]);
            let at = at.expect("it was noted");
            assert!(at >= before, "{at:?} {before:?}");
            before = at;
        }
        let mut room = [0; 8];
        assert_eq!((receive(&ours, &mut room).ok(), room[0]), (Some(3), GATHER_MAX as u8));
        assert!(receive(&ours, &mut room).is_err_and(|e| e.kind() == io::ErrorKind::WouldBlock));
    }

    #[test]
    fn of_a_hundred_thousand_messages_none_is_left_lying_because_nobody_was_woken() {
        const MESSAGES: u32 = 100_000;
        let (waker, poll) = (Waker::new().expect("an event"), Poll::new().expect("a poll"));
        poll.add(waker.fd(), 0).expect("added");
        let (send, inbox) = sync_channel(16);
        std::thread::scope(|s| {
            s.spawn(|| {
                for n in 0..MESSAGES {
                    send.send(n).expect("somebody listens");
                    waker.wake();
                }
            });
            let (mut ready, mut next, mut patience) = (Ready::new(4), 0, 30);
            while next < MESSAGES {
                // A waking that got lost shows as nothing being ready, second after second.
                if poll.wait(&mut ready, Duration::from_secs(1)) == 0 {
                    patience -= 1;
                    assert!(patience > 0, "after {next}");
                    continue;
                }
                waker.clear();
                while let Ok(n) = inbox.try_recv() {
                    assert_eq!(n, next);
                    next += 1;
                }
            }
        });
    }
}
