//! One packet: session keys (RFC 3711 section 4.3), AES in counter mode with HMAC-SHA1 (section 4.1, RFC 6188), AES-GCM
//! (RFC 7714).
//!
//! Key schedules and the keyed states of the HMAC are made once. GCM is ring's, counter mode and SHA-1 are RustCrypto's: each is
//! the faster one at its work.

use aes::{
    Aes128Enc, Aes256Enc,
    cipher::{Array, Block, BlockCipherEncrypt, KeyInit, consts::U16},
};
use hmac::{Hmac, Mac};
use ring::aead::{AES_128_GCM, AES_256_GCM, Aad, LessSafeKey, Nonce, UnboundKey};
use sha1::Sha1;

use super::{BadKey, Refused};
use crate::wire::{SrtpKey, SrtpSuite};

/// The part of an RTCP packet that stays readable, bytes.
pub(super) const RTCP_HEADER: usize = 8;
/// The E flag and the index behind an SRTCP packet, bytes.
const INDEX: usize = 4;
/// The packet is encrypted (RFC 3711 section 3.4).
const ENCRYPTED: u32 = 1 << 31;
/// Bytes of a GCM tag.
const GCM_TAG: usize = 16;
/// Bytes of the longer of the two HMAC tags, the only one of SRTCP.
const LONG_TAG: usize = 10;
/// Bytes of the key of the HMAC.
const AUTH_KEY: usize = 20;
/// Blocks of key stream made at once: as many as the processor works on side by side.
const BATCH: usize = 8;

/// Where the payload of an RTP packet begins. `None`: not RTP, or shorter than it says.
pub(super) fn header_length(packet: &[u8]) -> Option<usize> {
    let first = *packet.first()?;
    let mut length = crate::rtp::HEADER + usize::from(first & 0x0F) * 4;
    if first & 0x10 != 0 {
        let words = packet.get(length + 2..length + 4)?;
        length += 4 + usize::from(u16::from_be_bytes([words[0], words[1]])) * 4;
    }
    (first >> 6 == 2 && length <= packet.len()).then_some(length)
}

/// A block cipher with its key.
enum Aes {
    K128(Aes128Enc),
    K256(Aes256Enc),
}

impl Aes {
    fn new(key: &[u8]) -> Result<Self, BadKey> {
        match key.len() {
            16 => Aes128Enc::new_from_slice(key).map(Self::K128).map_err(|_| BadKey),
            _ => Aes256Enc::new_from_slice(key).map(Self::K256).map_err(|_| BadKey),
        }
    }

    fn encrypt(&self, blocks: &mut [Array<u8, U16>]) {
        match self {
            Self::K128(aes) => aes.encrypt_blocks(blocks),
            Self::K256(aes) => aes.encrypt_blocks(blocks),
        }
    }

    /// XOR `bytes` with the key stream that begins at `iv` (RFC 3711 section 4.1.1).
    fn counter_mode(&self, iv: u128, bytes: &mut [u8]) {
        let mut counter = iv;
        for chunk in bytes.chunks_mut(BATCH * 16) {
            let mut stream = [Block::<Aes128Enc>::default(); BATCH];
            let stream = &mut stream[..chunk.len().div_ceil(16)];
            for block in &mut *stream {
                *block = counter.to_be_bytes().into();
                counter = counter.wrapping_add(1);
            }
            self.encrypt(stream);
            for (byte, key) in chunk.iter_mut().zip(stream.iter().flatten()) {
                *byte ^= key;
            }
        }
    }
}

enum Cipher {
    /// Counter mode; the salt stands 16 bits up, where it enters the IV.
    Counter {
        aes: Aes,
        salt: u128,
        mac: Hmac<Sha1>,
        tag: usize,
    },
    Gcm {
        key: LessSafeKey,
        salt: [u8; 12],
    },
}

/// The session keys of RTP or of RTCP in one direction.
pub(super) struct Session(Cipher);

impl std::fmt::Debug for Session {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(match self.0 {
            Cipher::Counter { .. } => "Session(AES-CM)",
            Cipher::Gcm { .. } => "Session(AES-GCM)",
        })
    }
}

/// What a session key is for; the number is the first label of RFC 3711 section 4.3.1.
#[derive(Clone, Copy)]
enum Plane {
    Rtp = 0,
    Rtcp = 3,
}

impl Session {
    /// The sessions of RTP and RTCP under a master key.
    pub fn pair(key: &SrtpKey) -> Result<(Self, Self), BadKey> {
        Ok((Self::derive(key, Plane::Rtp)?, Self::derive(key, Plane::Rtcp)?))
    }

    fn derive(key: &SrtpKey, plane: Plane) -> Result<Self, BadKey> {
        let (key_length, salt_length) = key.suite.lengths();
        if key.key_and_salt.0.len() != key_length + salt_length {
            return Err(BadKey);
        }
        let (master, master_salt) = key.key_and_salt.0.split_at(key_length);
        let master = Aes::new(master)?;
        let label = plane as u8;
        let mut session_key = [0; 32];
        let session_key = &mut session_key[..key_length];
        derive(&master, master_salt, label, session_key);
        match key.suite {
            SrtpSuite::Aes128Gcm | SrtpSuite::Aes256Gcm => {
                let mut salt = [0; 12];
                derive(&master, master_salt, label + 2, &mut salt);
                Self::gcm(session_key, salt)
            }
            SrtpSuite::Aes128Sha1Tag80 | SrtpSuite::Aes128Sha1Tag32 | SrtpSuite::Aes256Sha1Tag80 => {
                let (mut auth, mut salt) = ([0; AUTH_KEY], [0; 14]);
                derive(&master, master_salt, label + 1, &mut auth);
                derive(&master, master_salt, label + 2, &mut salt);
                // Only sound has the short tag (RFC 4568 section 6.2.2).
                let short = matches!((key.suite, plane), (SrtpSuite::Aes128Sha1Tag32, Plane::Rtp));
                Self::counter(session_key, salt, &auth, if short { 4 } else { LONG_TAG })
            }
        }
    }

    fn counter(key: &[u8], salt: [u8; 14], auth: &[u8; AUTH_KEY], tag: usize) -> Result<Self, BadKey> {
        let mac = Hmac::<Sha1>::new_from_slice(auth).map_err(|_| BadKey)?;
        Ok(Self(Cipher::Counter { aes: Aes::new(key)?, salt: wide(&salt), mac, tag }))
    }

    fn gcm(key: &[u8], salt: [u8; 12]) -> Result<Self, BadKey> {
        let algorithm = if key.len() == 16 { &AES_128_GCM } else { &AES_256_GCM };
        let key = UnboundKey::new(algorithm, key).map_err(|_| BadKey)?;
        Ok(Self(Cipher::Gcm { key: LessSafeKey::new(key), salt }))
    }

    /// Encrypt what is behind `header` and put the tag behind `length`. `None`: no room.
    pub fn seal_rtp(&self, buffer: &mut [u8], header: usize, length: usize, ssrc: u32, index: u64) -> Option<usize> {
        match &self.0 {
            Cipher::Counter { aes, salt, mac, tag } => {
                let packet = buffer.get_mut(..length + tag)?;
                aes.counter_mode(iv(*salt, ssrc, index), &mut packet[header..length]);
                let whole = mac_of(mac, &packet[..length], (index >> 16) as u32);
                packet[length..].copy_from_slice(&whole[..*tag]);
                Some(length + tag)
            }
            Cipher::Gcm { key, salt } => {
                let packet = buffer.get_mut(..length + GCM_TAG)?;
                let (head, rest) = packet.split_at_mut(header);
                let (body, room) = rest.split_at_mut(length - header);
                let tag = key.seal_in_place_separate_tag(nonce(salt, ssrc, index), Aad::from(&*head), body).ok()?;
                room.copy_from_slice(tag.as_ref());
                Some(length + GCM_TAG)
            }
        }
    }

    pub fn open_rtp(&self, packet: &mut [u8], header: usize, ssrc: u32, index: u64) -> Result<usize, Refused> {
        match &self.0 {
            Cipher::Counter { aes, salt, mac, tag } => {
                let length = packet.len().checked_sub(*tag).filter(|l| *l >= header).ok_or(Refused::Malformed)?;
                check(mac, &packet[..length], (index >> 16) as u32, &packet[length..])?;
                aes.counter_mode(iv(*salt, ssrc, index), &mut packet[header..length]);
                Ok(length)
            }
            Cipher::Gcm { key, salt } => {
                let length = packet.len().checked_sub(GCM_TAG).filter(|l| *l >= header).ok_or(Refused::Malformed)?;
                let (head, body) = packet.split_at_mut(header);
                let opened = key.open_in_place(nonce(salt, ssrc, index), Aad::from(&*head), body);
                opened.map(|_| length).map_err(|_| Refused::Unauthentic)
            }
        }
    }

    /// Encrypt a compound packet and put index and tag behind it. `None`: no room.
    pub fn seal_rtcp(&self, buffer: &mut [u8], length: usize, ssrc: u32, index: u32) -> Option<usize> {
        let trailer = (ENCRYPTED | index).to_be_bytes();
        match &self.0 {
            Cipher::Counter { aes, salt, mac, .. } => {
                let signed = length + INDEX;
                let packet = buffer.get_mut(..signed + LONG_TAG)?;
                aes.counter_mode(iv(*salt, ssrc, u64::from(index)), &mut packet[RTCP_HEADER..length]);
                packet[length..signed].copy_from_slice(&trailer);
                let whole = sha1_of(mac, &packet[..signed]);
                packet[signed..].copy_from_slice(&whole[..LONG_TAG]);
                Some(signed + LONG_TAG)
            }
            Cipher::Gcm { key, salt } => {
                let packet = buffer.get_mut(..length + GCM_TAG + INDEX)?;
                let aad = rtcp_aad(packet, trailer);
                let (body, rest) = packet[RTCP_HEADER..].split_at_mut(length - RTCP_HEADER);
                let tag = key.seal_in_place_separate_tag(nonce(salt, ssrc, u64::from(index)), Aad::from(aad), body).ok()?;
                rest[..GCM_TAG].copy_from_slice(tag.as_ref());
                rest[GCM_TAG..].copy_from_slice(&trailer);
                Some(length + GCM_TAG + INDEX)
            }
        }
    }

    /// The index an SRTCP packet says it has, and where its encrypted part ends. `None`: too short, or sent unencrypted, which
    /// was not agreed.
    pub fn rtcp_index(&self, packet: &[u8]) -> Option<(u32, usize)> {
        let (at, end) = match &self.0 {
            Cipher::Counter { .. } => {
                let at = packet.len().checked_sub(LONG_TAG + INDEX)?;
                (at, at)
            }
            Cipher::Gcm { .. } => {
                let at = packet.len().checked_sub(INDEX)?;
                (at, at.checked_sub(GCM_TAG)?)
            }
        };
        let trailer = u32::from_be_bytes(*packet.get(at..)?.first_chunk()?);
        (trailer & ENCRYPTED != 0 && end >= RTCP_HEADER).then_some((trailer & !ENCRYPTED, end))
    }

    /// `end`: of the encrypted part, as [`Self::rtcp_index`] said.
    pub fn open_rtcp(&self, packet: &mut [u8], end: usize, ssrc: u32, index: u32) -> Result<usize, Refused> {
        match &self.0 {
            Cipher::Counter { aes, salt, mac, .. } => {
                let (signed, tag) = packet.split_at(end + INDEX);
                let mut mac = mac.clone();
                mac.update(signed);
                mac.verify_truncated_left(tag).map_err(|_| Refused::Unauthentic)?;
                aes.counter_mode(iv(*salt, ssrc, u64::from(index)), &mut packet[RTCP_HEADER..end]);
            }
            Cipher::Gcm { key, salt } => {
                let aad = rtcp_aad(packet, (ENCRYPTED | index).to_be_bytes());
                let body = &mut packet[RTCP_HEADER..end + GCM_TAG];
                key.open_in_place(nonce(salt, ssrc, u64::from(index)), Aad::from(aad), body)
                    .map_err(|_| Refused::Unauthentic)?;
            }
        }
        Ok(end)
    }
}

/// The readable head and the trailer, which GCM signs (RFC 7714 section 17).
fn rtcp_aad(packet: &[u8], trailer: [u8; INDEX]) -> [u8; RTCP_HEADER + INDEX] {
    let mut aad = [0; RTCP_HEADER + INDEX];
    aad[..RTCP_HEADER].copy_from_slice(&packet[..RTCP_HEADER]);
    aad[RTCP_HEADER..].copy_from_slice(&trailer);
    aad
}

fn mac_of(keyed: &Hmac<Sha1>, packet: &[u8], rollover: u32) -> [u8; 20] {
    let mut mac = keyed.clone();
    mac.update(packet);
    mac.update(&rollover.to_be_bytes());
    mac.finalize().into_bytes().into()
}

fn sha1_of(keyed: &Hmac<Sha1>, bytes: &[u8]) -> [u8; 20] {
    let mut mac = keyed.clone();
    mac.update(bytes);
    mac.finalize().into_bytes().into()
}

/// In constant time.
fn check(keyed: &Hmac<Sha1>, packet: &[u8], rollover: u32, tag: &[u8]) -> Result<(), Refused> {
    let mut mac = keyed.clone();
    mac.update(packet);
    mac.update(&rollover.to_be_bytes());
    mac.verify_truncated_left(tag).map_err(|_| Refused::Unauthentic)
}

/// Fourteen bytes at the upper end, the block counter below them at zero.
fn wide(salt: &[u8; 14]) -> u128 {
    salt.iter().fold(0, |n, b| n << 8 | u128::from(*b)) << 16
}

/// RFC 3711 section 4.1.1.
fn iv(salt: u128, ssrc: u32, index: u64) -> u128 {
    salt ^ u128::from(ssrc) << 64 ^ u128::from(index) << 16
}

/// RFC 7714 sections 8.1 and 9.1: for both planes two zero bytes, the source, and the index in six bytes, under the salt.
fn nonce(salt: &[u8; 12], ssrc: u32, index: u64) -> Nonce {
    let mut n = [0; 12];
    n[2..6].copy_from_slice(&ssrc.to_be_bytes());
    n[6..].copy_from_slice(&index.to_be_bytes()[2..]);
    n.iter_mut().zip(salt).for_each(|(n, s)| *n ^= s);
    Nonce::assume_unique_for_key(n)
}

/// RFC 3711 section 4.3.3. The shorter salt of GCM counts as followed by zeros (RFC 7714 section 11).
fn derive(master: &Aes, master_salt: &[u8], label: u8, out: &mut [u8]) {
    let mut salt = [0; 14];
    salt[..master_salt.len()].copy_from_slice(master_salt);
    salt[7] ^= label;
    out.fill(0);
    master.counter_mode(wide(&salt), out);
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::wire::Secret;

    fn hex(s: &str) -> Vec<u8> {
        let digits: Vec<u8> = s.chars().filter_map(|c| c.to_digit(16)).map(|d| d as u8).collect();
        digits.chunks(2).map(|d| d[0] << 4 | d[1]).collect()
    }

    /// The numbers from nought on: key of every vector of RFC 7714.
    fn counting(n: u8) -> Vec<u8> {
        (0..n).collect()
    }

    #[test]
    fn key_stream_as_in_rfc_3711_b_2_and_rfc_6188_7_1() {
        let iv = u128::from_str_radix("F0F1F2F3F4F5F6F7F8F9FAFBFCFD0000", 16).expect("hex");
        for (key, blocks, far) in [
            (
                "2B7E151628AED2A6ABF7158809CF4F3C",
                "E03EAD0935C95E80E166B16DD92B4EB4 D23513162B02D0F72A43A2FE4A5F97AB 41E95B3BB0A2E8DD477901E4FCA894C0",
                "EC8CDF7398607CB0F2D21675EA9EA1E4 362B7C3C6773516318A077D7FC5073AE 6A2CC3787889374FBEB4C81B17BA6C44",
            ),
            (
                "57f82fe3613fd170a85ec93c40b1f0922ec4cb0dc025b58272147cc438944a98",
                "92bdd28a93c3f52511c677d08b5515a4 9da71b2378a854f67050756ded165bac 63c4868b7096d88421b563b8c94c9a31",
                "cea518c90fd91ced9cbb18c078a54711 3dbc4814f4da5f00a08772b63c6a046d 6eb246913062a16891433e97dd01a57f",
            ),
        ] {
            let aes = Aes::new(&hex(key)).expect("a key");
            let mut stream = [0; 48];
            aes.counter_mode(iv, &mut stream);
            assert_eq!(stream[..], hex(blocks)[..]);
            let mut stream = [0; 48];
            aes.counter_mode(iv + 0xFEFF, &mut stream);
            assert_eq!(stream[..], hex(far)[..]);
        }
    }

    #[test]
    fn session_keys_as_in_rfc_3711_b_3_and_rfc_6188_7_2() {
        for (master, salt, cipher_key, session_salt, auth) in [
            (
                "E1F97A0D3E018BE0D64FA32C06DE4139",
                "0EC675AD498AFEEBB6960B3AABE6",
                "C61E7A93744F39EE10734AFE3FF7A087",
                "30CBBC08863D8C85D49DB34A9AE1",
                "CEBE321F6FF7716B6FD4AB49AF256A156D38BAA4",
            ),
            (
                "F0F04914B513F2763A1B1FA130F10E2998F6F6E43E4309D1E622A0E332B9F1B6",
                "3B04803DE51EE7C96423AB5B78D2",
                "5BA1064E30EC51613CAD926C5A28EF731EC7FB397F70A960653CAF06554CD8C4",
                "FA31791685CA444A9E07C6C64E93",
                "FD9C32D39ED5FBB5A9DC96B30818454D1313DC05",
            ),
        ] {
            let master = Aes::new(&hex(master)).expect("a key");
            for (label, wanted) in [(0, cipher_key), (1, auth), (2, session_salt)] {
                let mut key = vec![0xFF; hex(wanted).len()];
                derive(&master, &hex(salt), label, &mut key);
                assert_eq!(key, hex(wanted), "label {label}");
            }
        }
    }

    #[test]
    fn packets_as_in_rfc_7714_16() {
        let salt = *hex("517569642070726f2071756f").first_chunk().expect("twelve");
        let plain = hex(
            "8040f17b 8041f8d3 5501a0b2 47616c6c 69612065 7374206f 6d6e6973 20646976 69736120 696e2070 61727465 73207472 6573",
        );
        for (length, sealed) in [
            (
                16,
                "8040f17b 8041f8d3 5501a0b2 f24de3a3 fb34de6c acba861c 9d7e4bca be633bd5 0d294e6f 42a5f47a 51c7d19b \
                 36de3adf 8833899d 7f27beb1 6a9152cf 765ee439 0cce",
            ),
            (
                32,
                "8040f17b 8041f8d3 5501a0b2 32b1de78 a822fe12 ef9f78fa 332e33aa b1801238 9a58e2f3 b50b2a02 76ffae0f \
                 1ba63799 b87b7aa3 db36dfff d6b0f9bb 7878d7a7 6c13",
            ),
        ] {
            let s = Session::gcm(&counting(length), salt).expect("a key");
            let mut packet = plain.clone();
            packet.resize(plain.len() + GCM_TAG, 0);
            assert_eq!(s.seal_rtp(&mut packet, 12, plain.len(), 0x5501_A0B2, 0xF17B), Some(packet.len()));
            assert_eq!(packet, hex(sealed), "{length}");
            assert_eq!(s.open_rtp(&mut packet, 12, 0x5501_A0B2, 0xF17B), Ok(plain.len()));
            assert_eq!(packet[..plain.len()], plain[..]);
        }
    }

    #[test]
    fn reports_as_in_rfc_7714_17() {
        let salt = *hex("517569642070726f2071756f").first_chunk().expect("twelve");
        let plain = hex(
            "81c8000d 4d617273 4e545031 4e545032 52545020 0000042a 0000e930 4c756e61 deadbeef deadbeef deadbeef deadbeef deadbeef",
        );
        for (length, sealed) in [
            (
                16,
                "81c8000d 4d617273 63e94885 dcdab67c a727d766 2f6b7e99 7ff5c0f7 6c06f32d c676a5f1 730d6fda 4ce09b46 \
                 86303ded 0bb9275b c84aa458 96cf4d2f c5abf872 45d9eade 800005d4",
            ),
            (
                32,
                "81c8000d 4d617273 d50ae4d1 f5ce5d30 4ba297e4 7d470c28 2c3ece5d bffe0a50 a2eaa5c1 110555be 8415f658 \
                 c61de047 6f1b6fad 1d1eb30c 4446839f 57ff6f6c b26ac3be 800005d4",
            ),
        ] {
            let s = Session::gcm(&counting(length), salt).expect("a key");
            let mut packet = plain.clone();
            packet.resize(plain.len() + GCM_TAG + INDEX, 0);
            assert_eq!(s.seal_rtcp(&mut packet, plain.len(), 0x4D61_7273, 0x5D4), Some(packet.len()));
            assert_eq!(packet, hex(sealed), "{length}");
            assert_eq!(s.rtcp_index(&packet), Some((0x5D4, plain.len())));
            assert_eq!(s.open_rtcp(&mut packet, plain.len(), 0x4D61_7273, 0x5D4), Ok(plain.len()));
            assert_eq!(packet[..plain.len()], plain[..]);
        }
    }

    #[test]
    fn the_short_tag_is_for_sound_only() {
        let key = SrtpKey { suite: SrtpSuite::Aes128Sha1Tag32, key_and_salt: Secret([7; 30].into()) };
        let (rtp, rtcp) = Session::pair(&key).expect("fits");
        assert_eq!(rtp.seal_rtp(&mut [0; 100], 12, 50, 1, 1), Some(54));
        assert_eq!(rtcp.seal_rtcp(&mut [0; 100], 50, 1, 1), Some(64));
    }
}
