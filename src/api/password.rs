//! Passwords: hashed with Argon2id, checked in the same time whether the login exists or not.
//!
//! A hash costs about 20 MB and tens of milliseconds of a core on purpose; a small number run at once, on the blocking
//! pool, so that a storm of guesses cannot take the memory or the event loop.

use std::sync::{Arc, OnceLock};

use argon2::{
    Argon2,
    password_hash::{PasswordHasher, PasswordVerifier, phc::PasswordHash},
};
use tokio::sync::Semaphore;

use crate::base::{Rng, redact::Secret};

/// Longest password taken, bytes: hashing a megabyte is a favour to nobody.
pub const PASSWORD_MAX: usize = 256;
/// Shortest password a person may choose, characters.
pub const PASSWORD_MIN: usize = 10;
/// Hashes computed at once.
const AT_ONCE: usize = 2;
/// Letters and digits nobody mistakes for one another.
const LETTERS: &[u8] = b"abcdefghjkmnpqrstuvwxyzABCDEFGHJKMNPQRSTUVWXYZ23456789";

fn gate() -> &'static Arc<Semaphore> {
    static GATE: OnceLock<Arc<Semaphore>> = OnceLock::new();
    GATE.get_or_init(|| Arc::new(Semaphore::new(AT_ONCE)))
}

/// A hash of a password nobody has, so that an unknown login costs as much as a known one.
fn decoy() -> &'static str {
    static DECOY: OnceLock<String> = OnceLock::new();
    DECOY.get_or_init(|| hash_now("nobody's password", &[7; 16]).expect("fixed input of allowed size hashes"))
}

fn hash_now(password: &str, salt: &[u8; 16]) -> Result<String, String> {
    Argon2::default()
        .hash_password_with_salt(password.as_bytes(), salt)
        .map(|h| h.to_string())
        .map_err(|e| format!("password could not be hashed: {e}"))
}

fn verify_now(password: &str, hash: &str) -> bool {
    PasswordHash::new(hash).is_ok_and(|h| Argon2::default().verify_password(password.as_bytes(), &h).is_ok())
}

/// Hashes a password into a PHC string (`$argon2id$..`) with a salt of its own.
pub async fn hash(password: Secret, rng: &mut Rng) -> Result<String, String> {
    let salt = rng.bytes::<16>();
    hash_with_salt(password, salt).await
}

/// [`hash`], for callers that cannot hold the rng over an await.
pub async fn hash_with_salt(password: Secret, salt: [u8; 16]) -> Result<String, String> {
    let permit = gate().clone().acquire_owned().await.map_err(|e| e.to_string())?;
    tokio::task::spawn_blocking(move || {
        let _permit = permit;
        hash_now(password.expose(), &salt)
    })
    .await
    .map_err(|e| e.to_string())?
}

/// Whether the password is the one the hash was made from. Without a hash the same work is done and the answer is no.
pub async fn verify(password: Secret, hash: Option<String>) -> bool {
    let Ok(permit) = gate().clone().acquire_owned().await else { return false };
    let checked = tokio::task::spawn_blocking(move || {
        let _permit = permit;
        let known = hash.is_some();
        let hash = hash.unwrap_or_else(|| decoy().to_owned());
        verify_now(password.expose(), &hash) && known
    });
    checked.await.unwrap_or(false)
}

/// A password for people to copy once: 20 letters and digits, about 115 bits.
pub fn generate(rng: &mut Rng) -> String {
    (0..20).map(|_| LETTERS[rng.below(LETTERS.len() as u64) as usize] as char).collect()
}

#[cfg(test)]
mod tests {
    use super::*;

    #[tokio::test]
    async fn only_the_right_password_opens_and_nobodys_login_never_does() {
        let mut rng = Rng::seeded(1);
        let made = generate(&mut rng);
        let stored = hash(Secret::new(made.clone()), &mut rng).await.unwrap();
        assert!(stored.starts_with("$argon2id$"));
        assert!(verify(Secret::new(made.clone()), Some(stored.clone())).await);
        assert!(!verify(Secret::new("guess"), Some(stored)).await);
        assert!(!verify(Secret::new("nobody's password"), None).await, "the decoy's own password must not open");
        assert_ne!(made, generate(&mut rng));
    }
}
