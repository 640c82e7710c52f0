//! Files people send each other in a conversation: what one is by its bytes, whether it may be sent, and how it is named.
//!
//! What a program says a file is, by its name or a header, is not believed: only bytes are looked at, and what cannot be
//! recognised, or could run somewhere (pages, vector pictures, programs), is not taken. Where files lie is `vault`'s; who may
//! fetch one is for the doors to say.

use std::{collections::BTreeSet, fmt, sync::Arc};

use serde::{Deserialize, Serialize};

use crate::base::limits;

/// The name of a file's content: SHA-256, 64 lower-case hex digits. The same content has the same name, so it lies once.
#[derive(Debug, Clone, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct FileId(Arc<str>);

impl FileId {
    /// Reads 64 lower-case hex digits; none for anything else, so that no name leads out of a folder.
    pub fn parse(text: &str) -> Option<Self> {
        let hex = |b: u8| matches!(b, b'0'..=b'9' | b'a'..=b'f');
        (text.len() == 64 && text.bytes().all(hex)).then(|| Self(text.into()))
    }
    /// The digits.
    pub fn as_str(&self) -> &str {
        &self.0
    }
}

impl TryFrom<String> for FileId {
    type Error = &'static str;
    fn try_from(text: String) -> Result<Self, Self::Error> {
        Self::parse(&text).ok_or("a file id is 64 hex digits")
    }
}

impl From<FileId> for String {
    fn from(id: FileId) -> String {
        id.as_str().to_owned()
    }
}

impl fmt::Display for FileId {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(&self.0)
    }
}

/// What administrators allow or not: kinds under one word.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Class {
    /// PNG, JPEG, GIF, WebP.
    Picture,
    /// PDF, Office and OpenDocument files.
    Document,
    /// Plain text, tables as CSV.
    Text,
    /// MP3, WAV, Ogg, M4A.
    Sound,
    /// MP4, WebM.
    Film,
    /// ZIP.
    Archive,
}

/// What a file is, by its bytes.
#[derive(Debug, Clone, Copy, PartialEq, Eq, PartialOrd, Ord, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
#[expect(missing_docs, reason = "the names of the formats")]
pub enum Kind {
    Png,
    Jpeg,
    Gif,
    Webp,
    Pdf,
    Office,
    Text,
    Mp3,
    Wav,
    Ogg,
    M4a,
    Mp4,
    Webm,
    Zip,
}

impl Kind {
    /// All there are.
    const ALL: [Kind; 14] = [
        Kind::Png,
        Kind::Jpeg,
        Kind::Gif,
        Kind::Webp,
        Kind::Pdf,
        Kind::Office,
        Kind::Text,
        Kind::Mp3,
        Kind::Wav,
        Kind::Ogg,
        Kind::M4a,
        Kind::Mp4,
        Kind::Webm,
        Kind::Zip,
    ];

    /// Which class it belongs to.
    pub const fn class(self) -> Class {
        match self {
            Kind::Png | Kind::Jpeg | Kind::Gif | Kind::Webp => Class::Picture,
            Kind::Pdf | Kind::Office => Class::Document,
            Kind::Text => Class::Text,
            Kind::Mp3 | Kind::Wav | Kind::Ogg | Kind::M4a => Class::Sound,
            Kind::Mp4 | Kind::Webm => Class::Film,
            Kind::Zip => Class::Archive,
        }
    }

    /// What a browser is told it is. Never anything a browser would run.
    pub const fn mime(self) -> &'static str {
        match self {
            Kind::Png => "image/png",
            Kind::Jpeg => "image/jpeg",
            Kind::Gif => "image/gif",
            Kind::Webp => "image/webp",
            Kind::Pdf => "application/pdf",
            Kind::Office => "application/octet-stream",
            Kind::Text => "text/plain; charset=utf-8",
            Kind::Mp3 => "audio/mpeg",
            Kind::Wav => "audio/wav",
            Kind::Ogg => "audio/ogg",
            Kind::M4a => "audio/mp4",
            Kind::Mp4 => "video/mp4",
            Kind::Webm => "video/webm",
            Kind::Zip => "application/zip",
        }
    }

    /// Endings a name of it may have; the first is given to a name that has none of them.
    const fn endings(self) -> &'static [&'static str] {
        match self {
            Kind::Png => &["png"],
            Kind::Jpeg => &["jpg", "jpeg"],
            Kind::Gif => &["gif"],
            Kind::Webp => &["webp"],
            Kind::Pdf => &["pdf"],
            Kind::Office => &["docx", "xlsx", "pptx", "odt", "ods", "odp"],
            Kind::Text => &["txt", "csv", "md", "log", "json"],
            Kind::Mp3 => &["mp3"],
            Kind::Wav => &["wav"],
            Kind::Ogg => &["ogg", "oga", "opus"],
            Kind::M4a => &["m4a"],
            Kind::Mp4 => &["mp4", "m4v", "mov"],
            Kind::Webm => &["webm"],
            Kind::Zip => &["zip"],
        }
    }

    /// What the first [`limits::FILE_HEAD`] bytes (or all, if it is shorter) are of; none for what is not taken.
    pub fn sniff(head: &[u8]) -> Option<Kind> {
        let at = |from: usize, what: &[u8]| head.get(from..from + what.len()) == Some(what);
        let riff = |what| at(0, b"RIFF") && at(8, what);
        Some(match () {
            () if at(0, b"\x89PNG\r\n\x1a\n") => Kind::Png,
            () if at(0, b"\xff\xd8\xff") => Kind::Jpeg,
            () if at(0, b"GIF87a") || at(0, b"GIF89a") => Kind::Gif,
            () if riff(b"WEBP") => Kind::Webp,
            () if riff(b"WAVE") => Kind::Wav,
            () if at(0, b"%PDF-") => Kind::Pdf,
            // The first entry of a package says what it is (ECMA-376 part 2, OpenDocument 1.2 part 3 section 3.3).
            () if at(0, b"PK\x03\x04") && (at(30, b"[Content_Types].xml") || at(30, b"mimetypeapplication/vnd.oasis.")) => {
                Kind::Office
            }
            () if at(0, b"PK\x03\x04") => Kind::Zip,
            () if at(0, b"OggS") => Kind::Ogg,
            () if at(4, b"ftypM4A") => Kind::M4a,
            () if [&b"ftypisom"[..], b"ftypiso2", b"ftypmp4", b"ftypavc1", b"ftypM4V", b"ftypqt  "]
                .iter()
                .any(|b| at(4, b)) =>
            {
                Kind::Mp4
            }
            () if at(0, b"\x1a\x45\xdf\xa3") => Kind::Webm,
            () if at(0, b"ID3") || head.len() > 3 && head[0] == 0xff && head[1] & 0xe6 == 0xe2 => Kind::Mp3,
            () if is_text(head) => Kind::Text,
            () => return None,
        })
    }
}

/// Words in UTF-8 that are no markup: a page or a vector picture opened from a disk would run.
fn is_text(head: &[u8]) -> bool {
    let text = match std::str::from_utf8(head) {
        Ok(text) => text,
        // Cut in the middle of its last letter.
        Err(e) if e.error_len().is_none() && head.len() >= limits::FILE_HEAD => {
            std::str::from_utf8(&head[..e.valid_up_to()]).unwrap_or_default()
        }
        Err(_) => return false,
    };
    let plain = |c: char| !c.is_control() || matches!(c, '\n' | '\r' | '\t' | '\u{c}');
    let begins = text.trim_start_matches(['\u{feff}', ' ', '\t', '\r', '\n']);
    !text.is_empty() && text.chars().all(plain) && !begins.starts_with('<') && !begins.starts_with("#!")
}

/// The name under which it is shown and saved: the last part of what the sender's program called it, without what could
/// mislead (controls, marks that turn the direction of writing), with an ending that fits its content.
pub fn name_for(raw: &str, kind: Kind) -> String {
    let last = raw.rsplit(['/', '\\']).next().unwrap_or_default();
    let odd = |c: char| {
        c.is_control()
            || matches!(c, '\u{200b}'..='\u{200f}' | '\u{202a}'..='\u{202e}' | '\u{2060}'..='\u{2069}' | '\u{feff}')
            || matches!(c, '"' | '<' | '>' | '|' | '*' | '?' | ':')
    };
    let clean: String = last.chars().filter(|c| !odd(*c)).collect();
    let clean = clean.trim().trim_matches('.');
    let ending = clean.rsplit_once('.').map(|(_, e)| e.to_ascii_lowercase());
    let fits = ending.is_some_and(|e| kind.endings().contains(&e.as_str()));
    let most = limits::FILE_NAME_MAX;
    match (fits, clean.is_empty()) {
        (true, _) if clean.chars().count() <= most => clean.to_owned(),
        (_, true) => format!("file.{}", kind.endings()[0]),
        _ => {
            let short: String = clean.chars().take(most.saturating_sub(6)).collect();
            format!("{short}.{}", kind.endings()[0])
        }
    }
}

/// A file of a message.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
pub struct File {
    /// Its content.
    pub id: FileId,
    /// Its name.
    pub name: String,
    /// What it is.
    pub kind: Kind,
    /// How large it is.
    pub bytes: u64,
}

/// What may be sent.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Allowed {
    /// The largest, bytes.
    pub bytes: u64,
    /// Classes.
    pub classes: BTreeSet<Class>,
    /// Most in one conversation.
    pub in_conversation: u32,
}

/// Why a file is not taken.
#[derive(Debug, Clone, Copy, PartialEq, Eq, thiserror::Error)]
pub enum FileError {
    /// No files here at all.
    #[error("files are not taken here")]
    Off,
    /// There is nothing in it.
    #[error("the file is empty")]
    Empty,
    /// Over [`Allowed::bytes`].
    #[error("the file is larger than {most} bytes")]
    TooLarge {
        /// The largest taken.
        most: u64,
    },
    /// Not recognised, or not of a class that is taken.
    #[error("files of this kind are not taken")]
    Kind,
    /// Over [`Allowed::in_conversation`].
    #[error("a conversation has at most {most} files")]
    TooMany {
        /// So many.
        most: u32,
    },
}

impl FileError {
    /// The stable word pages translate.
    pub const fn word(self) -> &'static str {
        match self {
            FileError::Off => "files_off",
            FileError::Empty => "file_empty",
            FileError::TooLarge { .. } => "file_too_large",
            FileError::Kind => "file_kind",
            FileError::TooMany { .. } => "files_too_many",
        }
    }
}

impl Allowed {
    /// Whether any file is.
    pub fn any(&self) -> Result<(), FileError> {
        if self.classes.is_empty() || self.bytes == 0 { Err(FileError::Off) } else { Ok(()) }
    }
    /// Whether one of so many bytes may be. Also said of what has come so far of one.
    pub fn size(&self, bytes: u64) -> Result<(), FileError> {
        self.any()?;
        if bytes > self.bytes { Err(FileError::TooLarge { most: self.bytes }) } else { Ok(()) }
    }
    /// What one that begins so is, if it may be sent.
    pub fn kind(&self, head: &[u8]) -> Result<Kind, FileError> {
        self.any()?;
        if head.is_empty() {
            return Err(FileError::Empty);
        }
        Kind::sniff(head).filter(|k| self.classes.contains(&k.class())).ok_or(FileError::Kind)
    }
    /// Endings of what is taken, as the `accept` of a file field in a page has them.
    pub fn accept(&self) -> String {
        let taken = Kind::ALL.into_iter().filter(|k| self.classes.contains(&k.class()));
        let endings: Vec<String> = taken.flat_map(Kind::endings).map(|e| format!(".{e}")).collect();
        endings.join(",")
    }
    /// Whether this one may be the next of a conversation that has `so_far`.
    pub fn next(&self, file: &File, so_far: u32) -> Result<(), FileError> {
        self.size(file.bytes)?;
        match () {
            () if file.bytes == 0 => Err(FileError::Empty),
            () if !self.classes.contains(&file.kind.class()) => Err(FileError::Kind),
            () if so_far >= self.in_conversation => Err(FileError::TooMany { most: self.in_conversation }),
            () => Ok(()),
        }
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_file_is_what_its_bytes_say_whatever_it_is_called() {
        let is = |bytes: &[u8]| Kind::sniff(bytes);
        assert_eq!(is(b"\x89PNG\r\n\x1a\n\0\0\0\rIHDR"), Some(Kind::Png));
        assert_eq!(is(b"\xff\xd8\xff\xe0\0\x10JFIF"), Some(Kind::Jpeg));
        assert_eq!(is(b"RIFF\x10\0\0\0WEBPVP8 "), Some(Kind::Webp));
        assert_eq!(is(b"RIFF\x10\0\0\0WAVEfmt "), Some(Kind::Wav));
        assert_eq!(is(b"RIFF\x10\0\0\0AVI LIST"), None);
        assert_eq!(is(b"%PDF-1.7\n"), Some(Kind::Pdf));
        assert_eq!(is(b"\0\0\0\x18ftypisom\0\0\0\0"), Some(Kind::Mp4));
        assert_eq!(is("订单号，数量\n17，2\n".as_bytes()), Some(Kind::Text));
        let mut package = b"PK\x03\x04".to_vec();
        package.resize(30, 0);
        assert_eq!(is(&package), Some(Kind::Zip));
        package.extend(b"[Content_Types].xml");
        assert_eq!(is(&package), Some(Kind::Office));
    }

    #[test]
    fn what_could_run_is_not_taken_for_words() {
        for bad in [
            &b"<!doctype html><script>alert(1)</script>"[..],
            b"\xef\xbb\xbf  <svg onload=alert(1)>",
            b"<?xml version='1.0'?>",
            b"#!/bin/sh\nrm -rf .",
            b"MZ\x90\0\x03",
            b"\x7fELF\x02\x01",
            b"\xca\xfe\xba\xbe",
            b"abc\0def",
            b"",
        ] {
            assert_eq!(Kind::sniff(bad), None, "{bad:?}");
        }
    }

    #[test]
    fn a_letter_cut_at_the_end_of_what_is_looked_at_is_no_fault_of_the_text() {
        let mut long = "字".repeat(limits::FILE_HEAD / 3 + 1).into_bytes();
        long.truncate(limits::FILE_HEAD);
        assert_eq!(Kind::sniff(&long), Some(Kind::Text));
        assert_eq!(Kind::sniff(&"字".as_bytes()[..2]), None, "the whole of a short one is there");
    }

    #[test]
    fn a_name_says_what_the_content_is_and_leads_nowhere() {
        assert_eq!(name_for("C:\\fakepath\\Photo.JPG", Kind::Jpeg), "Photo.JPG");
        assert_eq!(name_for("../../etc/passwd", Kind::Text), "passwd.txt");
        assert_eq!(name_for("invoice\u{202e}fdp.exe", Kind::Pdf), "invoicefdp.exe.pdf");
        assert_eq!(name_for("发票.pdf", Kind::Pdf), "发票.pdf");
        assert_eq!(name_for("..", Kind::Png), "file.png");
        let long = name_for(&format!("{}.png", "x".repeat(400)), Kind::Png);
        assert!(long.ends_with(".png") && long.chars().count() <= limits::FILE_NAME_MAX, "{long}");
    }

    #[test]
    fn an_id_is_hex_digits_and_nothing_else() {
        let good = "0123456789abcdef".repeat(4);
        assert_eq!(FileId::parse(&good).unwrap().as_str(), good);
        for bad in ["", "../../../etc/passwd", &good[1..], &good.to_uppercase()] {
            assert!(FileId::parse(bad).is_none(), "{bad}");
        }
        assert!(serde_json::from_str::<FileId>("\"../x\"").is_err());
    }

    #[test]
    fn what_is_allowed_is_what_the_tenant_says() {
        let allowed = Allowed { bytes: 100, classes: BTreeSet::from([Class::Picture]), in_conversation: 2 };
        let file = |bytes, kind| File { id: FileId::parse(&"0".repeat(64)).unwrap(), name: "a".into(), kind, bytes };
        assert_eq!(allowed.next(&file(100, Kind::Png), 1), Ok(()));
        assert_eq!(allowed.next(&file(101, Kind::Png), 1), Err(FileError::TooLarge { most: 100 }));
        assert_eq!(allowed.next(&file(10, Kind::Pdf), 1), Err(FileError::Kind));
        assert_eq!(allowed.next(&file(10, Kind::Png), 2), Err(FileError::TooMany { most: 2 }));
        assert_eq!(allowed.kind(b"%PDF-1.4"), Err(FileError::Kind));
        assert_eq!(allowed.kind(b""), Err(FileError::Empty));
        assert_eq!(allowed.accept(), ".png,.jpg,.jpeg,.gif,.webp");
        let none = Allowed { classes: BTreeSet::new(), ..allowed };
        assert_eq!(none.size(1), Err(FileError::Off));
    }
}
