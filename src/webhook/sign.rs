//! Secrets and signatures as Standard Webhooks 1.0 has them: HMAC-SHA256 over `id.timestamp.body`, base64, after `v1,`.

use base64::{Engine as _, engine::general_purpose::STANDARD};
use hmac::{Hmac, KeyInit, Mac};
use sha2::Sha256;

/// Bytes of a secret.
pub const SECRET_BYTES: usize = 32;
const PREFIX: &str = "whsec_";

/// A secret as people copy it: `whsec_` and base64.
pub fn secret_text(bytes: &[u8; SECRET_BYTES]) -> String {
    format!("{PREFIX}{}", STANDARD.encode(bytes))
}

/// The value of `webhook-signature`: one signature for each secret, with a space between. While a secret is being replaced
/// there are two, so that a receiver may know either. A text that is no secret signs nothing.
pub fn signature<'a>(secrets: impl IntoIterator<Item = &'a str>, id: &str, unix_s: i64, body: &str) -> String {
    let sign = |secret: &str| {
        let key = STANDARD.decode(secret.strip_prefix(PREFIX)?).ok()?;
        let mut mac = Hmac::<Sha256>::new_from_slice(&key).expect("HMAC takes keys of any length");
        mac.update(format!("{id}.{unix_s}.{body}").as_bytes());
        Some(format!("v1,{}", STANDARD.encode(mac.finalize().into_bytes())))
    };
    secrets.into_iter().filter_map(sign).collect::<Vec<_>>().join(" ")
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_example_of_standard_webhooks_is_signed_as_its_libraries_do() {
        // The vector its reference libraries are tested with.
        let secret = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw";
        let signed = signature([secret], "msg_p5jXN8AQM9LWM0D4loKWxJek", 1_614_265_330, r#"{"test": 2432232314}"#);
        assert_eq!(signed, "v1,g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE=");
    }

    #[test]
    fn while_a_secret_is_replaced_both_sign_and_a_broken_one_signs_nothing() {
        let (old, new) = (secret_text(&[1; 32]), secret_text(&[2; 32]));
        let both = signature([new.as_str(), old.as_str()], "e", 1, "{}");
        assert_eq!(both, format!("{} {}", signature([new.as_str()], "e", 1, "{}"), signature([old.as_str()], "e", 1, "{}")));
        assert_ne!(signature([old.as_str()], "e", 1, "{}"), signature([old.as_str()], "e", 2, "{}"));
        assert_eq!(signature(["nonsense", "whsec_%"], "e", 1, "{}"), "");
    }
}
