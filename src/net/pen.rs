//! The key calls are signed with (STIR/SHAKEN): read from its PEM once, used by [`Pen`].

use ring::{
    rand::SystemRandom,
    signature::{ECDSA_P256_SHA256_FIXED_SIGNING, EcdsaKeyPair},
};
use rustls::pki_types::{PrivatePkcs8KeyDer, pem::PemObject as _};

use crate::sip::stir::Pen;

/// A pen for a private key of P-256 in PKCS#8 PEM. The error says what is wrong with it, and nothing of what is in it.
pub fn pen(pem: &str) -> Result<Pen, &'static str> {
    let der = PrivatePkcs8KeyDer::from_pem_slice(pem.as_bytes()).map_err(|_| "is no private key in PEM (BEGIN PRIVATE KEY)")?;
    let chance = SystemRandom::new();
    let key = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der(), &chance);
    let key = key.map_err(|_| "is no key of the curve P-256")?;
    Ok(Pen::new(move |signed| key.sign(&chance, signed).ok()?.as_ref().try_into().ok()))
}

#[cfg(test)]
mod tests {
    use base64::{Engine as _, engine::general_purpose::URL_SAFE_NO_PAD};
    use ring::signature::{ECDSA_P256_SHA256_FIXED, KeyPair as _, UnparsedPublicKey};

    use super::*;
    use crate::sip::stir::{Attestation, Claims, identity};

    /// RFC 8225 appendix A.
    const KEY: &str = "-----BEGIN PRIVATE KEY-----\n\
        MIGHAgEAMBMGByqGSM49AgEGCCqGSM49AwEHBG0wawIBAQQgi7q2TZvN9VDFg8Vy\n\
        qCP06bETrR2v8MRvr89rn4i+UAahRANCAAQWfaj1HUETpoNCrOtp9KA8o0V79IuW\n\
        ARKt9C1cFPkyd3FBP4SeiNZxQhDrD0tdBHls3/wFe8++K2FrPyQF9vuh\n\
        -----END PRIVATE KEY-----\n";

    #[test]
    fn what_the_key_signs_its_public_half_finds_good() {
        let der = PrivatePkcs8KeyDer::from_pem_slice(KEY.as_bytes()).unwrap();
        let chance = SystemRandom::new();
        let pair = EcdsaKeyPair::from_pkcs8(&ECDSA_P256_SHA256_FIXED_SIGNING, der.secret_pkcs8_der(), &chance).unwrap();
        let public = UnparsedPublicKey::new(&ECDSA_P256_SHA256_FIXED, pair.public_key().as_ref());
        let claims = Claims {
            attestation: Attestation::B,
            orig: "12155551212",
            dest: "12125551213",
            iat: 1_471_375_418,
            origid: "123e4567-e89b-12d3-a456-426655440000",
        };
        let value = identity(&claims, "https://cert.example.org/passport.cer", &pen(KEY).unwrap()).unwrap();
        let token = value.split(';').next().unwrap();
        let (signed, signature) = token.rsplit_once('.').unwrap();
        let signature = URL_SAFE_NO_PAD.decode(signature).unwrap();
        public.verify(signed.as_bytes(), &signature).unwrap();
        assert!(public.verify(signed.replace('e', "f").as_bytes(), &signature).is_err());
    }

    #[test]
    fn another_kind_of_key_is_refused_by_its_kind() {
        assert!(pen("").unwrap_err().contains("PEM"));
        assert!(pen(&KEY.replace("MIGHAgEAMBMGByqG", "MIGHAgEAMBMGByqH")).unwrap_err().contains("P-256"));
    }
}
