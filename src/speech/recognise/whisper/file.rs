//! Whether a model file is whole. The library takes a file that ends in the middle of its header for a model of nothing, and what it
//! then does with a voice is anybody's guess.
//!
//! ```text
//! "ggml", 11 numbers │ mel filters: n, m, n×m floats │ vocabulary: count, (length, bytes).. │ (dims, name length, type, sizes.., name, data)..
//! ```
//! Numbers are 32 bits, little-endian. There is no count of the tensors at the end and no sum over anything.

use std::{
    fs::File,
    io::{self, BufReader, Read as _, Seek as _, SeekFrom},
    path::Path,
};

/// How a model file begins: "ggml" as a little-endian number.
const MAGIC: u32 = 0x6767_6d6c;
/// Numbers after it.
const PARAMETERS: usize = 11;
/// A vocabulary larger than this is none.
const WORDS_MAX: u32 = 1 << 20;
/// Most dimensions of a tensor.
const DIMS_MAX: u32 = 4;

/// Bytes of a block of a tensor and how many values are in it, by type; none for types that are not in models.
fn block(kind: u32) -> Option<(u64, u64)> {
    Some(match kind {
        0 => (4, 1),      // f32
        1 => (2, 1),      // f16
        2 => (18, 32),    // q4_0
        3 => (20, 32),    // q4_1
        6 => (22, 32),    // q5_0
        7 => (24, 32),    // q5_1
        8 => (34, 32),    // q8_0
        10 => (84, 256),  // q2_k
        11 => (110, 256), // q3_k
        12 => (144, 256), // q4_k
        13 => (176, 256), // q5_k
        14 => (210, 256), // q6_k
        _ => return None,
    })
}

/// Where one reads in a file of which the length is known.
struct Walk {
    file: BufReader<File>,
    at: u64,
    len: u64,
}

impl Walk {
    fn number(&mut self) -> io::Result<u32> {
        let mut four = [0; 4];
        self.file.read_exact(&mut four)?;
        self.at += 4;
        Ok(u32::from_le_bytes(four))
    }

    fn skip(&mut self, bytes: u64) -> io::Result<()> {
        let to = self.at.checked_add(bytes).filter(|to| *to <= self.len).ok_or(io::ErrorKind::UnexpectedEof)?;
        self.file.seek_relative(i64::try_from(bytes).map_err(|_| io::ErrorKind::UnexpectedEof)?)?;
        self.at = to;
        Ok(())
    }

    /// To the end of the file, which is the end of a tensor.
    fn model(&mut self) -> io::Result<bool> {
        if self.number()? != MAGIC {
            return Ok(false);
        }
        for _ in 0..PARAMETERS {
            self.number()?;
        }
        let (n, m) = (self.number()?, self.number()?);
        self.skip(u64::from(n) * u64::from(m) * 4)?;
        let words = self.number()?;
        if words == 0 || words > WORDS_MAX {
            return Ok(false);
        }
        for _ in 0..words {
            let length = self.number()?;
            self.skip(length.into())?;
        }
        // Without a single tensor it is a model for tests of loading.
        let mut some = false;
        while self.at < self.len {
            let (dims, name, kind) = (self.number()?, self.number()?, self.number()?);
            let Some((bytes, values)) = block(kind).filter(|_| (1..=DIMS_MAX).contains(&dims)) else { return Ok(false) };
            let mut size = 1u64;
            for _ in 0..dims {
                size = size.checked_mul(self.number()?.into()).ok_or(io::ErrorKind::UnexpectedEof)?;
            }
            self.skip(name.into())?;
            self.skip((size / values).checked_mul(bytes).ok_or(io::ErrorKind::UnexpectedEof)?)?;
            some = true;
        }
        Ok(some)
    }
}

/// Whether it is a model and ends where it should. An error: it cannot be read.
pub(super) fn is_whole(path: &Path) -> io::Result<bool> {
    let mut file = File::open(path)?;
    let len = file.seek(SeekFrom::End(0))?;
    file.rewind()?;
    match (Walk { file: BufReader::new(file), at: 0, len }).model() {
        Err(e) if e.kind() == io::ErrorKind::UnexpectedEof => Ok(false),
        other => other,
    }
}
