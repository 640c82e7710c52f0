//! One request, one answer: what it takes to tell the server its business.

use std::{
    io::{self, Read, Write},
    net::{SocketAddrV4, TcpStream},
};

/// The API of a server, with a key.
#[derive(Debug)]
pub struct Api {
    at: SocketAddrV4,
    key: String,
}

impl Api {
    pub fn new(at: SocketAddrV4, key: String) -> Self {
        Self { at, key }
    }

    /// The body of the answer, if the server says yes.
    pub fn ask(&self, method: &str, path: &str, kind: &str, body: &str) -> io::Result<String> {
        let mut s = TcpStream::connect(self.at)?;
        write!(
            s,
            "{method} {path} HTTP/1.1\r\nHost: {}\r\nAuthorization: Bearer {}\r\nConnection: close\r\nContent-Type: {kind}\r\n\
             Content-Length: {}\r\n\r\n{body}",
            self.at,
            self.key,
            body.len()
        )?;
        let mut answer = String::new();
        s.read_to_string(&mut answer)?;
        let (head, body) = answer.split_once("\r\n\r\n").unwrap_or((&answer, ""));
        if head.split(' ').nth(1).is_some_and(|status| status.starts_with('2')) {
            return Ok(body.to_owned());
        }
        Err(io::Error::other(format!("{method} {path}: {} {body}", head.lines().next().unwrap_or_default())))
    }

    /// The same with JSON.
    pub fn json(&self, method: &str, path: &str, body: &str) -> io::Result<String> {
        self.ask(method, path, "application/json", body)
    }
}

/// The text of a key in flat JSON of ours, whose values hold no quotes.
pub fn text_of<'a>(json: &'a str, key: &str) -> Option<&'a str> {
    let rest = json.split(&format!("\"{key}\"")).nth(1)?;
    rest.split_once('"')?.1.split('"').next()
}
