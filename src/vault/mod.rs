//! Files that people send each other in chats, kept on the disk under the name of their content.
//!
//! ```text
//!   a body that comes ─▶ incoming/N ─ looked at, counted, hashed ─▶ TENANT/ab/abcd.. (once, whoever sends it again)
//!        └ too large, of no kind that is taken, stalled, disk full: the part that came is removed
//! ```
//!
//! What may be sent is decided by [`text::file`](crate::text::file), who may fetch by the doors. A message names its file, so
//! the file is safe on the disk before the message is said; one that no message names is removed a day later by
//! [`Vault::sweep`].

use std::{
    collections::BTreeSet,
    io,
    path::{Path, PathBuf},
    sync::atomic::{AtomicU64, Ordering::Relaxed},
    time::{Duration, UNIX_EPOCH},
};

use bytes::Bytes;
use futures_util::{Stream, StreamExt, stream};
use sha2::{Digest, Sha256};
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    sync::Semaphore,
    time::timeout,
};

use crate::{
    base::{TenantId, Wall, limits},
    text::file::{Allowed, File, FileError, FileId, name_for},
};

#[cfg(test)]
mod tests;

/// Bytes read from the disk at once.
const CHUNK: usize = 64 * 1024;
/// What is still read of a body that is refused, so that its sender hears why instead of a broken connection.
const DRAIN_MAX: u64 = limits::FILE_MAX_KB as u64 * 1_024;

/// Why a file was not kept.
#[derive(Debug, thiserror::Error)]
pub enum VaultError {
    /// It may not be sent.
    #[error(transparent)]
    Refused(#[from] FileError),
    /// [`limits::FILES_AT_ONCE`] are being received.
    #[error("too many files are being received; try again soon")]
    Busy,
    /// Its sender stopped in the middle, or was too slow.
    #[error("the file did not come to its end")]
    Stalled,
    /// There is no room.
    #[error("there is no room for the file")]
    Full,
    /// The disk does not work.
    #[error("the file could not be kept")]
    Disk(#[source] io::Error),
}

impl From<io::Error> for VaultError {
    fn from(e: io::Error) -> Self {
        match e.kind() {
            io::ErrorKind::StorageFull | io::ErrorKind::QuotaExceeded => VaultError::Full,
            _ => VaultError::Disk(e),
        }
    }
}

impl VaultError {
    /// The HTTP status and the stable word a door answers with.
    pub const fn answer(&self) -> (u16, &'static str) {
        match self {
            VaultError::Refused(e @ FileError::TooLarge { .. }) => (413, e.word()),
            VaultError::Refused(e @ FileError::Kind) => (415, e.word()),
            VaultError::Refused(e) => (422, e.word()),
            VaultError::Busy => (503, "busy"),
            VaultError::Stalled => (408, "file_stalled"),
            VaultError::Full => (507, "disk_full"),
            VaultError::Disk(_) => (503, "unavailable"),
        }
    }
}

/// The folder of files.
#[derive(Debug)]
pub struct Vault {
    root: PathBuf,
    seats: Semaphore,
    next: AtomicU64,
    free_min: u64,
}

/// A part of a file that goes unless it is kept.
struct Part(PathBuf);

impl Drop for Part {
    fn drop(&mut self) {
        // Moved to its place, or never made: either way there is nothing to remove.
        let _ = std::fs::remove_file(&self.0);
    }
}

impl Vault {
    /// Files live below `root`, which is made when the first one comes. What an earlier process was receiving is removed.
    pub fn new(root: PathBuf) -> Self {
        // Not there: nothing was being received.
        let _ = std::fs::remove_dir_all(root.join("incoming"));
        Vault { root, seats: Semaphore::new(limits::FILES_AT_ONCE), next: AtomicU64::new(0), free_min: limits::FILE_FREE_MIN }
    }

    fn path(&self, tenant: &TenantId, id: &FileId) -> PathBuf {
        self.root.join(tenant.as_str()).join(&id.as_str()[..2]).join(id.as_str())
    }

    /// Receives a file; what it is called by its sender is only the beginning of its name. It is on the disk on return.
    pub async fn take<E>(
        &self,
        tenant: &TenantId,
        name: &str,
        allowed: &Allowed,
        body: impl Stream<Item = Result<Bytes, E>>,
    ) -> Result<File, VaultError> {
        let mut body = std::pin::pin!(body);
        let mut come = 0;
        let taken = async {
            let _seat = self.seats.try_acquire().map_err(|_| VaultError::Busy)?;
            self.receive(tenant, name, allowed, body.as_mut(), &mut come).await
        };
        let answer = timeout(limits::FILE_PATIENCE, taken).await.unwrap_or(Err(VaultError::Stalled));
        if matches!(answer, Err(VaultError::Refused(_) | VaultError::Busy | VaultError::Full)) {
            let drain = async {
                while let Some(Ok(chunk)) = body.next().await {
                    come += chunk.len() as u64;
                    if come > DRAIN_MAX {
                        return;
                    }
                }
            };
            // Whoever is still sending after this learns it the hard way.
            let _ = timeout(limits::FILE_STALL, drain).await;
        }
        answer
    }

    async fn receive<E>(
        &self,
        tenant: &TenantId,
        name: &str,
        allowed: &Allowed,
        mut body: impl Stream<Item = Result<Bytes, E>> + Unpin,
        come: &mut u64,
    ) -> Result<File, VaultError> {
        allowed.any()?;
        let incoming = self.root.join("incoming");
        tokio::fs::create_dir_all(&incoming).await?;
        if free_bytes(incoming.clone()).await.is_some_and(|free| free < self.free_min) {
            return Err(VaultError::Full);
        }
        let part = Part(incoming.join(self.next.fetch_add(1, Relaxed).to_string()));
        let mut file = tokio::fs::File::create(&part.0).await?;
        let (mut hash, mut head, mut kind) = (Sha256::new(), Vec::new(), None);
        while let Some(chunk) = timeout(limits::FILE_STALL, body.next()).await.map_err(|_| VaultError::Stalled)? {
            let chunk = chunk.map_err(|_| VaultError::Stalled)?;
            *come += chunk.len() as u64;
            allowed.size(*come)?;
            head.extend(chunk.iter().take(limits::FILE_HEAD - head.len()));
            if kind.is_none() && head.len() == limits::FILE_HEAD {
                kind = Some(allowed.kind(&head)?);
            }
            hash.update(&chunk);
            file.write_all(&chunk).await?;
        }
        let kind = kind.map_or_else(|| allowed.kind(&head), Ok)?;
        file.sync_all().await?;
        let id: String = hash.finalize().iter().map(|b| format!("{b:02x}")).collect();
        let id = FileId::parse(&id).expect("a hash has 64 hex digits");
        let path = self.path(tenant, &id);
        let folder = path.parent().expect("a file of the vault is in a folder").to_owned();
        tokio::fs::create_dir_all(&folder).await?;
        tokio::fs::rename(&part.0, &path).await?;
        // The name is safe when its folder is.
        tokio::fs::File::open(&folder).await?.sync_all().await?;
        Ok(File { id, name: name_for(name, kind), kind, bytes: *come })
    }

    /// A file's content and its length, or none when it is not there any more.
    pub async fn open(
        &self,
        tenant: &TenantId,
        id: &FileId,
    ) -> io::Result<Option<(u64, impl Stream<Item = io::Result<Bytes>> + use<>)>> {
        let file = match tokio::fs::File::open(self.path(tenant, id)).await {
            Ok(file) => file,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(None),
            Err(e) => return Err(e),
        };
        let length = file.metadata().await?.len();
        Ok(Some((length, chunks(file, length))))
    }

    /// Removes what has lain there for a day and is named by no message. `named` are those of one tenant whose ids begin with
    /// `prefix`, two hex digits. How many went.
    pub async fn sweep(&self, tenant: &TenantId, prefix: &str, named: &BTreeSet<FileId>, now: Wall) -> io::Result<u64> {
        let mut folder = match tokio::fs::read_dir(self.root.join(tenant.as_str()).join(prefix)).await {
            Ok(folder) => folder,
            Err(e) if e.kind() == io::ErrorKind::NotFound => return Ok(0),
            Err(e) => return Err(e),
        };
        let mut gone = 0;
        while let Some(entry) = folder.next_entry().await? {
            let Some(id) = entry.file_name().to_str().and_then(FileId::parse) else { continue };
            if named.contains(&id) {
                continue;
            }
            let since = entry.metadata().await?.modified()?.duration_since(UNIX_EPOCH).unwrap_or(Duration::ZERO);
            let since = Wall(i64::try_from(since.as_micros()).unwrap_or(i64::MAX));
            if now.since(since) >= limits::FILE_UNNAMED {
                tokio::fs::remove_file(entry.path()).await?;
                gone += 1;
            }
        }
        Ok(gone)
    }
}

/// The next `length` bytes of a file, piece by piece; fewer where it ends before.
pub fn chunks(file: tokio::fs::File, length: u64) -> impl Stream<Item = io::Result<Bytes>> {
    stream::unfold((file, length), |(mut file, left)| async move {
        let want = usize::try_from(left).unwrap_or(CHUNK).min(CHUNK);
        let mut chunk = vec![0; want];
        match file.read(&mut chunk).await {
            // Nothing more is wanted, or there.
            Ok(0) => None,
            Ok(n) => {
                chunk.truncate(n);
                Some((Ok(Bytes::from(chunk)), (file, left - n as u64)))
            }
            Err(e) => Some((Err(e), (file, 0))),
        }
    })
}

/// `None`: the system would not say.
async fn free_bytes(path: PathBuf) -> Option<u64> {
    let look = |path: &Path| rustix::fs::statvfs(path).ok().map(|s| s.f_bavail.saturating_mul(s.f_frsize));
    tokio::task::spawn_blocking(move || look(&path)).await.ok().flatten()
}

/// What an answer that carries a file says of it: what it is, that nothing of it is to be run, that it is to be saved and not
/// opened, and that nobody in between keeps it.
pub fn headers(file: &File, length: u64) -> [(&'static str, String); 6] {
    // RFC 8187 section 3.2.1: attr-char; everything else as percent and two digits.
    let plain = |b: u8| b.is_ascii_alphanumeric() || b"!#$&+-.^_`|~".contains(&b);
    let name = file.name.bytes().fold(String::new(), |mut name, b| {
        if plain(b) {
            name.push(char::from(b))
        } else {
            name += &format!("%{b:02X}")
        }
        name
    });
    [
        ("content-type", file.kind.mime().to_owned()),
        ("content-disposition", format!("attachment; filename*=UTF-8''{name}")),
        ("x-content-type-options", "nosniff".to_owned()),
        ("content-security-policy", "default-src 'none'; sandbox".to_owned()),
        ("cache-control", "private, max-age=3600".to_owned()),
        ("content-length", length.to_string()),
    ]
}
