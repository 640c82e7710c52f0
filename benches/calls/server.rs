//! Whoever serves the calls: started on a processor of its own, told of the phones, ended.

use std::{
    io::{self, BufRead, BufReader, Write},
    net::{Ipv4Addr, SocketAddrV4},
    process::{Child, ChildStdout, Command, Stdio},
};

use crate::proc;

/// Where the server runs and where we do.
#[derive(Debug, Clone, Copy)]
pub struct Places {
    pub server: usize,
    pub ours: usize,
}

/// A process that is ended with its handle.
#[derive(Debug)]
pub struct Process(pub Child);

impl Process {
    /// Start it on the server's processor: a child inherits the place of its parent.
    pub fn start(command: &mut Command, places: Places) -> io::Result<Self> {
        proc::pin(places.server)?;
        let child = command.spawn();
        proc::pin(places.ours)?;
        child.map(Self)
    }

    pub fn pid(&self) -> u32 {
        self.0.id()
    }
}

impl Drop for Process {
    fn drop(&mut self) {
        // It may have ended by itself.
        let _ = self.0.kill();
        let _ = self.0.wait();
    }
}

/// A server of this program, commanded line by line over its input and output.
#[derive(Debug)]
pub struct Ours {
    process: Process,
    answers: BufReader<ChildStdout>,
}

impl Ours {
    /// Start `bench-calls KIND`.
    pub fn start(kind: &str, places: Places) -> io::Result<Self> {
        let mut command = Command::new(std::env::current_exe()?);
        command.arg(kind).stdin(Stdio::piped()).stdout(Stdio::piped());
        let mut process = Process::start(&mut command, places)?;
        let out = process.0.stdout.take().ok_or_else(|| io::Error::other("no output of the server"))?;
        Ok(Self { process, answers: BufReader::new(out) })
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    /// Say so many lines at once.
    pub fn tell(&mut self, lines: &str) -> io::Result<()> {
        let input = self.process.0.stdin.as_mut().ok_or_else(|| io::Error::other("the server's input is closed"))?;
        input.write_all(lines.as_bytes())?;
        input.flush()
    }

    /// The next line it says.
    pub fn answer(&mut self) -> io::Result<String> {
        let mut line = String::new();
        if self.answers.read_line(&mut line)? == 0 {
            return Err(io::Error::other("the server ended"));
        }
        Ok(line.trim_end().to_owned())
    }
}

/// The port of ours or of theirs on this machine.
pub fn local(port: u16) -> SocketAddrV4 {
    SocketAddrV4::new(Ipv4Addr::LOCALHOST, port)
}

/// The bare loop with these pairs of phones: where each phone is to send.
pub fn floor(phones: &[SocketAddrV4], places: Places) -> io::Result<(Ours, Vec<SocketAddrV4>)> {
    let mut server = Ours::start("floor", places)?;
    let mut to = Vec::new();
    for pair in phones.chunks(2) {
        server.tell(&format!("{} {}\n", pair[0], pair[1]))?;
        let ports = server.answer()?;
        to.extend(ports.split_whitespace().filter_map(|p| p.parse().ok()).map(local));
    }
    server.tell("go\n")?;
    Ok((server, to))
}
