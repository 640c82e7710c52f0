//! rtpengine beside us: the Debian package, in user space with one worker, commanded by its ng protocol (a cookie and a
//! bencoded dictionary in a datagram).

use std::{
    io,
    net::{Ipv4Addr, SocketAddrV4, UdpSocket},
    process::{Command, Stdio},
    time::Duration,
};

use crate::server::{Places, Process, local};

/// How long it may take to answer one command; it is asked again until then.
const ANSWER: Duration = Duration::from_millis(250);
const ASKED: usize = 40;

/// A running rtpengine.
#[derive(Debug)]
pub struct Rtpengine {
    process: Process,
    ng: UdpSocket,
    cookie: u32,
}

impl Rtpengine {
    /// `None` where it is not installed.
    pub fn start(places: Places) -> io::Result<Option<Self>> {
        // Its control port must be known beforehand: one that is free at this moment.
        let port = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?.local_addr()?.port();
        let mut command = Command::new("rtpengine");
        command
            .args(["--foreground", "--table=-1", "--interface=127.0.0.1", "--num-threads=1", "--log-level=2"])
            .args(["--log-stderr", "--port-min=10000", "--port-max=60000", "--timeout=600"])
            .arg("--config-file=none")
            .arg(format!("--listen-ng=127.0.0.1:{port}"))
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(Stdio::null());
        let process = match Process::start(&mut command, places) {
            Ok(p) => p,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        let ng = UdpSocket::bind((Ipv4Addr::LOCALHOST, 0))?;
        ng.connect((Ipv4Addr::LOCALHOST, port))?;
        ng.set_read_timeout(Some(ANSWER))?;
        let mut it = Self { process, ng, cookie: 0 };
        it.ask(&dictionary(&[("command", "ping")]))?;
        Ok(Some(it))
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Offer and answer of each call, as a SIP proxy would pass them: where each phone is to send.
    pub fn connect(&mut self, phones: &[SocketAddrV4]) -> io::Result<Vec<SocketAddrV4>> {
        let mut to = Vec::new();
        for (n, pair) in phones.chunks(2).enumerate() {
            let call = format!("call-{n}");
            let (ours, theirs) = (sdp(pair[0]), sdp(pair[1]));
            let offer = [("call-id", &*call), ("command", "offer"), ("from-tag", "a"), ("sdp", &*ours)];
            let at_b = self.ask(&dictionary(&offer))?;
            let answer = [("call-id", &*call), ("command", "answer"), ("from-tag", "a"), ("sdp", &*theirs), ("to-tag", "b")];
            let at_a = self.ask(&dictionary(&answer))?;
            for reply in [at_a, at_b] {
                to.push(local(audio_port(&reply).ok_or_else(|| io::Error::other(format!("rtpengine said: {reply}")))?));
            }
        }
        Ok(to)
    }

    fn ask(&mut self, command: &str) -> io::Result<String> {
        self.cookie += 1;
        let cookie = format!("{:x}_{} ", std::process::id(), self.cookie);
        let mut reply = [0; 4_096];
        for _ in 0..ASKED {
            // Before it listens the port is closed and both of these fail at once: ask again.
            let sent = self.ng.send(format!("{cookie}{command}").as_bytes());
            while sent.is_ok()
                && let Ok(n) = self.ng.recv(&mut reply)
            {
                if let Some(rest) = String::from_utf8_lossy(&reply[..n]).strip_prefix(&cookie) {
                    return Ok(rest.to_owned());
                }
            }
            if matches!(self.process.0.try_wait(), Ok(Some(_))) {
                return Err(io::Error::other("rtpengine ended"));
            }
            std::thread::park_timeout(ANSWER / 10);
        }
        Err(io::Error::other("rtpengine does not answer"))
    }
}

/// Keys must be in order.
fn dictionary(words: &[(&str, &str)]) -> String {
    let mut words = words.to_vec();
    words.sort_unstable();
    let body: String = words.iter().map(|(k, v)| format!("{}:{k}{}:{v}", k.len(), v.len())).collect();
    format!("d{body}e")
}

fn sdp(at: SocketAddrV4) -> String {
    let (ip, port) = (at.ip(), at.port());
    format!(
        "v=0\r\no=- 1 1 IN IP4 {ip}\r\ns=-\r\nc=IN IP4 {ip}\r\nt=0 0\r\nm=audio {port} RTP/AVP 0\r\na=rtpmap:0 PCMU/8000\r\n"
    )
}

fn audio_port(text: &str) -> Option<u16> {
    text.split("m=audio ").nth(1)?.split_whitespace().next()?.parse().ok()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_command_is_a_sorted_dictionary_and_the_port_is_read_out_of_the_reply() {
        assert_eq!(dictionary(&[("sdp", "v=0"), ("command", "ping")]), "d7:command4:ping3:sdp3:v=0e");
        assert_eq!(audio_port("d3:sdp99:v=0\r\nm=audio 30002 RTP/AVP 0\r\ne"), Some(30_002));
        assert_eq!(audio_port("d6:result5:errore"), None);
    }
}
