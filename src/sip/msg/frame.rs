//! Cuts a byte stream into messages (RFC 3261 18.3) and keep-alives (RFC 5626 4.4.1).
//!
//! ```text
//! between messages ─CRLF CRLF─▶ Ping ─┐     ─CRLF─▶ Pong ─┐
//!        ▲───────────────────────────┘───────────────────┘
//!        └──────── start line ─▶ headers ─empty line─▶ body of Content-Length ─▶ Message ─┐
//!        ▲────────────────────────────────────────────────────────────────────────────────┘
//!   whatever makes the next boundary a guess ─▶ FrameError, and the stream is over
//! ```
//! The result depends on the bytes only, never on how they were cut into segments. Memory: one message and one read.

use bytes::{Buf, Bytes, BytesMut};

use super::{Message, ParseError, ParseErrorKind as Kind, parse, scan};
use crate::base::limits;

/// One thing that came over a stream.
#[derive(Debug, Clone)]
pub enum Frame {
    /// A message. `Err`: it is broken, but where it ends is certain, so the stream goes on.
    Message(Result<Message, ParseError>),
    /// The peer asks whether we are there: answer with one CRLF.
    Ping,
    /// The answer to our question.
    Pong,
}

/// The next boundary is not certain: close the stream, after answering `error` where that can be.
#[derive(Debug, Clone, thiserror::Error)]
#[error("stream cannot be framed: {error}")]
pub struct FrameError {
    /// What is wrong and, if it was a request, whom to tell.
    pub error: ParseError,
}

/// Collects the bytes of one stream. Call [`next`](Self::next) until `None` after each [`push`](Self::push).
#[derive(Debug, Default)]
pub struct Framer {
    buf: BytesMut,
    /// How far the end of the headers was looked for in vain.
    scanned: usize,
    /// Where the message at the front ends, once known.
    end: Option<usize>,
    over: bool,
}

impl Framer {
    /// At the beginning of a stream.
    pub fn new() -> Self {
        Self::default()
    }
    /// Takes what was read. After a [`FrameError`] everything is thrown away.
    pub fn push(&mut self, data: &[u8]) {
        if !self.over {
            self.buf.extend_from_slice(data);
        }
    }
    /// True when a part of a message is waiting for the rest.
    pub fn is_mid_message(&self) -> bool {
        !self.over && !self.buf.is_empty()
    }
    /// How many bytes are waiting.
    pub fn buffered(&self) -> usize {
        self.buf.len()
    }
    /// The next frame, when it is complete.
    #[expect(clippy::should_implement_trait, reason = "the end of what is there now is not the end of the stream")]
    pub fn next(&mut self) -> Option<Result<Frame, FrameError>> {
        if self.over {
            return None;
        }
        match self.step() {
            Ok(frame) => frame.map(Ok),
            Err(error) => {
                self.over = true;
                self.buf = BytesMut::new();
                Some(Err(FrameError { error }))
            }
        }
    }

    fn step(&mut self) -> Result<Option<Frame>, ParseError> {
        if let Some(done) = self.keep_alive()? {
            return Ok(done);
        }
        let end = match self.end {
            Some(end) => end,
            None => match self.find_end()? {
                Some(end) => end,
                None => return Ok(None),
            },
        };
        if self.buf.len() < end {
            self.end = Some(end);
            // One allocation for the rest, bounded by the largest message.
            self.buf.reserve(end - self.buf.len());
            return Ok(None);
        }
        // A copy of its own: a dialog that keeps a header of it must not keep the whole read buffer.
        let data = Bytes::copy_from_slice(&self.buf[..end]);
        self.buf.advance(end);
        (self.end, self.scanned) = (None, 0);
        match Message::parse_datagram(data) {
            Err(e) if matches!(e.kind, Kind::NotSip(_)) => Err(e),
            result => Ok(Some(Frame::Message(result))),
        }
    }

    /// Line ends between messages. `Some(None)`: more bytes are needed to tell.
    fn keep_alive(&mut self) -> Result<Option<Option<Frame>>, ParseError> {
        loop {
            let (taken, frame) = match self.buf[..] {
                [] | [b'\r'] | [b'\r', b'\n'] | [b'\r', b'\n', b'\r'] => return Ok(Some(None)),
                [b'\r', b'\n', b'\r', b'\n', ..] => (4, Some(Frame::Ping)),
                [b'\r', b'\n', ..] => (2, Some(Frame::Pong)),
                [b'\n', ..] => (1, None),
                [b'\r', ..] => return Err(ParseError::bare(Kind::NotSip("a CR without LF"))),
                _ => return Ok(None),
            };
            self.buf.advance(taken);
            if frame.is_some() {
                return Ok(Some(frame));
            }
        }
    }

    /// Where the message at the front of the buffer ends, once its headers are complete.
    fn find_end(&mut self) -> Result<Option<usize>, ParseError> {
        let buf = &self.buf[..];
        let first = buf.iter().take(limits::SIP_LINE_MAX).position(|b| *b == b'\n');
        match first {
            // An HTTP client, a port scanner: no need to wait for its empty line.
            Some(end) if !buf[..end].windows(4).any(|w| w.eq_ignore_ascii_case(b"SIP/")) => {
                return Err(ParseError::bare(Kind::NotSip("the first line names no SIP version")));
            }
            None if buf.len() >= limits::SIP_LINE_MAX => return Err(ParseError::bare(Kind::NotSip("no line end"))),
            None => return Ok(None),
            Some(_) => {}
        }
        let Some(head) = end_of_head(buf, self.scanned.saturating_sub(3)) else {
            self.scanned = buf.len();
            return if buf.len() >= limits::SIP_MESSAGE_MAX { Err(self.fault(Kind::MessageTooLarge)) } else { Ok(None) };
        };
        let body = match body_length(&buf[..head]) {
            Ok(n) => n,
            Err(kind) => return Err(self.fault(kind)),
        };
        match head.checked_add(body).filter(|end| *end <= limits::SIP_MESSAGE_MAX) {
            Some(end) => Ok(Some(end)),
            None => Err(self.fault(Kind::MessageTooLarge)),
        }
    }

    fn fault(&self, kind: Kind) -> ParseError {
        let n = self.buf.len().min(limits::SIP_MESSAGE_MAX);
        parse::with_head(&Bytes::copy_from_slice(&self.buf[..n]), kind)
    }
}

/// Behind the first empty line, looking from `from` on.
fn end_of_head(buf: &[u8], from: usize) -> Option<usize> {
    let mut at = from;
    while let Some(i) = buf[at..].iter().position(|b| *b == b'\n') {
        at += i + 1;
        match buf.get(at..).unwrap_or_default() {
            [b'\n', ..] => return Some(at + 1),
            [b'\r', b'\n', ..] => return Some(at + 2),
            _ => {}
        }
    }
    None
}

/// `Content-Length` of a header block: one number said once. Without one a message has no body, unless it names the type of
/// one: then nobody can know where it ends (RFC 3261 20.14 requires the header on streams).
fn body_length(head: &[u8]) -> Result<usize, Kind> {
    let (mut at, mut length, mut typed, mut count) = (0, Vec::new(), false, 0);
    let _start_line = parse::next_line(head, &mut at);
    let mut in_length = false;
    while let Some((from, to)) = parse::next_line(head, &mut at) {
        let line = &head[from..to];
        if line.first().copied().is_some_and(scan::is_blank) {
            if in_length {
                let more = scan::trim_bytes(line);
                if !more.is_empty() && !length.is_empty() {
                    length.push(b' ');
                }
                length.extend_from_slice(more);
            }
            continue;
        }
        in_length = false;
        let Some(colon) = line.iter().position(|b| *b == b':') else { continue };
        let name = scan::trim_bytes(&line[..colon]);
        let is =
            |long: &str, short: &str| name.eq_ignore_ascii_case(long.as_bytes()) || name.eq_ignore_ascii_case(short.as_bytes());
        if is("Content-Length", "l") {
            in_length = true;
            count += 1;
            length = scan::trim_bytes(&line[colon + 1..]).to_vec();
        }
        typed |= is("Content-Type", "c");
    }
    let name = "Content-Length";
    match count {
        0 if typed => Err(Kind::Header(name, "missing on a stream")),
        0 => Ok(0),
        1 => match scan::number::<u32>(&scan::text(&length)).map(usize::try_from) {
            Some(Ok(n)) => Ok(n),
            _ => Err(Kind::Header(name, "not a number")),
        },
        _ => Err(Kind::Header(name, "said more than once")),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    const OPTIONS: &[u8] = b"OPTIONS sip:a@example.com SIP/2.0\r\nVia: SIP/2.0/TCP 192.0.2.1;branch=z9hG4bKx\r\nFrom: <sip:b@example.com>;tag=1\r\nTo: <sip:a@example.com>\r\nCall-ID: c\r\nCSeq: 1 OPTIONS\r\nContent-Length: 4\r\n\r\nbody";

    fn kinds(pieces: &[&[u8]]) -> Vec<String> {
        let mut framer = Framer::new();
        let mut out = Vec::new();
        for piece in pieces {
            framer.push(piece);
            while let Some(frame) = framer.next() {
                out.push(match frame {
                    Ok(Frame::Message(Ok(m))) => format!("message {}", m.body.len()),
                    Ok(Frame::Message(Err(e))) => format!("broken {e}"),
                    Ok(Frame::Ping) => "ping".to_owned(),
                    Ok(Frame::Pong) => "pong".to_owned(),
                    Err(e) => format!("over {}", e.error.answer(([192, 0, 2, 1], 5060).into()).is_some()),
                });
            }
        }
        out
    }

    #[test]
    fn keep_alives_between_messages_are_told_apart_wherever_the_segments_end() {
        let all = [b"\r\n\r\n", OPTIONS, b"\r\n", OPTIONS, b"\r\n\r\n\r\n\r\n", OPTIONS].concat();
        let want = ["ping", "message 4", "pong", "message 4", "ping", "ping", "message 4"];
        for cut in 0..all.len() {
            assert_eq!(kinds(&[&all[..cut], &all[cut..]]), want, "cut at {cut}");
        }
        let one_by_one: Vec<&[u8]> = all.chunks(1).collect();
        assert_eq!(kinds(&one_by_one), want);
    }

    #[test]
    fn a_length_of_a_hundred_million_closes_the_stream_with_an_answer_and_without_memory() {
        let text = String::from_utf8(OPTIONS.to_vec()).unwrap().replace("Length: 4", "Length: 99999999");
        let mut framer = Framer::new();
        framer.push(text.as_bytes());
        let error = framer.next().unwrap().unwrap_err().error;
        assert_eq!(error.kind.code(), 513);
        assert!(error.answer(([192, 0, 2, 1], 9).into()).is_some());
        assert!(framer.buf.capacity() < 1000 && framer.next().is_none());
        framer.push(OPTIONS);
        assert!(framer.next().is_none());
    }

    #[test]
    fn a_web_browser_or_endless_noise_is_shown_the_door_at_once() {
        assert_eq!(kinds(&[b"GET / HTTP/1.1\r\n"]), ["over false"]);
        assert_eq!(kinds(&[&[b'x'; 9000]]), ["over false"]);
        let mut endless = OPTIONS[..40].to_vec();
        while endless.len() < 70_000 {
            endless.extend_from_slice(b"X-More: and more\r\n");
        }
        assert_eq!(kinds(&endless.chunks(1000).collect::<Vec<_>>()), ["over false"]);
    }

    #[test]
    fn a_folded_or_doubled_length_does_not_smuggle_a_second_message() {
        let text = String::from_utf8(OPTIONS.to_vec()).unwrap();
        assert_eq!(kinds(&[text.replace("Length: 4", "Length:\r\n 4").as_bytes()]), ["message 4"]);
        assert_eq!(kinds(&[text.replace("Length: 4", "Length: 4\r\nl: 0").as_bytes()]), ["over true"]);
        assert_eq!(kinds(&[text.replace("Length: 4", "Length: -4").as_bytes()]), ["over true"]);
        assert_eq!(kinds(&[text.replace("Length: 4", "Length: 4\r\n 4").as_bytes()]), ["over true"]);
        let no_length = text.replace("Content-Length: 4\r\n\r\nbody", "\r\n");
        assert_eq!(kinds(&[no_length.as_bytes()]), ["message 0"]);
        assert_eq!(kinds(&[no_length.replace("\r\n\r\n", "\r\nc: text/plain\r\n\r\n").as_bytes()]), ["over true"]);
    }
}
