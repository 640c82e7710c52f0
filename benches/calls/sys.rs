//! Many datagrams in one system call, each with the moment the kernel got it: what neither the standard library nor the
//! crates of this house have a safe name for.
//!
//! The only file of the load generator with `unsafe` in it; every block says why it holds.
#![allow(unsafe_code)]

use std::{
    io,
    net::{Ipv4Addr, SocketAddrV4, UdpSocket},
    os::fd::AsRawFd,
};

/// Datagrams handled by one call at most.
pub const BATCH: usize = 32;
/// Largest datagram sent or received, bytes.
pub const ROOM: usize = 512;
/// Room for one control message with a time stamp, in words: `CMSG_SPACE(sizeof timespec)` is 32 bytes.
const CONTROL_WORDS: usize = 8;

/// Datagrams on their way in or out.
pub struct Batch {
    buffers: Box<[[u8; ROOM]; BATCH]>,
    lengths: [usize; BATCH],
    names: [libc::sockaddr_in; BATCH],
    control: [[u64; CONTROL_WORDS]; BATCH],
    len: usize,
}

impl std::fmt::Debug for Batch {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        write!(f, "Batch({})", self.len)
    }
}

/// One datagram that came in.
#[derive(Debug)]
pub struct Received<'a> {
    pub bytes: &'a [u8],
    pub from: SocketAddrV4,
    /// When the kernel got it, nanoseconds since 1970; `None` if it did not say.
    pub at: Option<u64>,
}

impl Batch {
    pub fn new() -> Self {
        // SAFETY: an IPv4 socket address is plain numbers, for which all zeroes is a value.
        let name: libc::sockaddr_in = unsafe { std::mem::zeroed() };
        Self {
            buffers: Box::new([[0; ROOM]; BATCH]),
            lengths: [0; BATCH],
            names: [name; BATCH],
            control: [[0; CONTROL_WORDS]; BATCH],
            len: 0,
        }
    }

    /// Nothing to send, nothing received.
    pub fn clear(&mut self) {
        self.len = 0;
    }

    pub fn is_full(&self) -> bool {
        self.len == BATCH
    }

    /// One more to send: `write` fills the buffer and says how many bytes.
    pub fn push(&mut self, to: SocketAddrV4, write: impl FnOnce(&mut [u8; ROOM]) -> usize) {
        let i = self.len;
        self.names[i].sin_family = libc::AF_INET as libc::sa_family_t;
        self.names[i].sin_port = to.port().to_be();
        self.names[i].sin_addr.s_addr = u32::from(*to.ip()).to_be();
        self.lengths[i] = write(&mut self.buffers[i]).min(ROOM);
        self.len += 1;
    }

    /// Send what was pushed; how many the kernel did not take.
    pub fn send(&mut self, socket: &UdpSocket) -> usize {
        let (mut iov, mut headers) = self.headers(|lengths, i| lengths[i], false);
        for (h, v) in headers.iter_mut().zip(&mut iov) {
            h.msg_hdr.msg_iov = v;
        }
        let (mut done, mut lost) = (0, 0);
        while done < self.len {
            let left = (self.len - done) as u32;
            // SAFETY: `headers` has `len` initialised entries; their pointers are to `iov`, `names` and `buffers`, which are
            // neither moved nor dropped before the call returns, with the lengths those have.
            let n = unsafe { libc::sendmmsg(socket.as_raw_fd(), headers.as_mut_ptr().add(done), left, 0) };
            match usize::try_from(n) {
                Ok(n) if n > 0 => done += n,
                // A refusal concerns the first of the rest: that one is lost, the others go on.
                _ => (done, lost) = (done + 1, lost + 1),
            }
        }
        self.len = 0;
        lost
    }

    /// Receive what is there without waiting.
    pub fn receive(&mut self, socket: &UdpSocket) -> usize {
        self.len = BATCH;
        let (mut iov, mut headers) = self.headers(|_, _| ROOM, true);
        for (h, v) in headers.iter_mut().zip(&mut iov) {
            h.msg_hdr.msg_iov = v;
        }
        // SAFETY: as in `send`; the time-out may be null.
        let n = unsafe {
            libc::recvmmsg(socket.as_raw_fd(), headers.as_mut_ptr(), BATCH as u32, libc::MSG_DONTWAIT, std::ptr::null_mut())
        };
        self.len = usize::try_from(n).unwrap_or(0);
        for (length, h) in self.lengths.iter_mut().zip(&headers[..self.len]) {
            *length = (h.msg_len as usize).min(ROOM);
        }
        self.len
    }

    /// The `i`th of those received.
    pub fn get(&self, i: usize) -> Received<'_> {
        let name = &self.names[i];
        let from = SocketAddrV4::new(Ipv4Addr::from(u32::from_be(name.sin_addr.s_addr)), u16::from_be(name.sin_port));
        Received { bytes: &self.buffers[i][..self.lengths[i]], from, at: self.stamp(i) }
    }

    /// The control message is one header (length, level, kind) and one `timespec`, and nothing else was asked for.
    fn stamp(&self, i: usize) -> Option<u64> {
        let [_, kind, seconds, nanoseconds, ..] = self.control[i];
        let expected = u64::from(libc::SOL_SOCKET as u32) | u64::from(libc::SCM_TIMESTAMPNS as u32) << 32;
        (kind == expected).then(|| seconds * 1_000_000_000 + nanoseconds)
    }

    fn headers(
        &mut self,
        length: impl Fn(&[usize; BATCH], usize) -> usize,
        control: bool,
    ) -> ([libc::iovec; BATCH], [libc::mmsghdr; BATCH]) {
        // SAFETY: both are plain numbers and pointers, for which all zeroes (null) is a value.
        let (mut iov, mut headers): ([libc::iovec; BATCH], [libc::mmsghdr; BATCH]) = unsafe { std::mem::zeroed() };
        for i in 0..self.len {
            iov[i] = libc::iovec { iov_base: self.buffers[i].as_mut_ptr().cast(), iov_len: length(&self.lengths, i) };
            let h = &mut headers[i].msg_hdr;
            h.msg_name = std::ptr::from_mut(&mut self.names[i]).cast();
            h.msg_namelen = size_of::<libc::sockaddr_in>() as u32;
            h.msg_iovlen = 1;
            if control {
                self.control[i] = [0; CONTROL_WORDS];
                h.msg_control = self.control[i].as_mut_ptr().cast();
                h.msg_controllen = size_of::<[u64; CONTROL_WORDS]>();
            }
        }
        (iov, headers)
    }
}

/// Have the kernel say when it got each datagram.
pub fn stamp_arrivals(socket: &UdpSocket) -> io::Result<()> {
    set(socket, libc::SO_TIMESTAMPNS, 1)
}

/// Room for what arrives, beyond the limit of ordinary users where we may; the limit holds where not.
pub fn receive_room(socket: &UdpSocket, bytes: i32) -> io::Result<()> {
    set(socket, libc::SO_RCVBUFFORCE, bytes).or_else(|_| set(socket, libc::SO_RCVBUF, bytes))
}

fn set(socket: &UdpSocket, option: i32, value: i32) -> io::Result<()> {
    let size = size_of::<i32>() as u32;
    // SAFETY: the descriptor is open (borrowed), and pointer and size are those of a local variable.
    match unsafe { libc::setsockopt(socket.as_raw_fd(), libc::SOL_SOCKET, option, std::ptr::from_ref(&value).cast(), size) } {
        0 => Ok(()),
        _ => Err(io::Error::last_os_error()),
    }
}
