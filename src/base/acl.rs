//! Lists of networks: who may speak to us at all.

use std::{fmt, net::IpAddr, str::FromStr};

use serde::{Deserialize, Deserializer, Serialize, Serializer};

/// A network as people write it: `192.0.2.0/24`, `2001:db8::/32`, or one address.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub struct Network {
    address: IpAddr,
    bits: u8,
}

impl Network {
    /// Whether an address is in it. An IPv4 address in IPv6 clothes counts as what it is.
    pub fn holds(&self, ip: IpAddr) -> bool {
        match (self.address, ip.to_canonical()) {
            (IpAddr::V4(net), IpAddr::V4(ip)) => same_bits(u32::from(net).into(), u32::from(ip).into(), 32 - self.bits),
            (IpAddr::V6(net), IpAddr::V6(ip)) => same_bits(net.into(), ip.into(), 128 - self.bits),
            _ => false,
        }
    }
}

fn same_bits(a: u128, b: u128, ignored: u8) -> bool {
    (a ^ b).checked_shr(ignored.into()).unwrap_or(0) == 0
}

impl From<IpAddr> for Network {
    fn from(address: IpAddr) -> Network {
        Network { address, bits: if address.is_ipv4() { 32 } else { 128 } }
    }
}

/// Why a text is no [`Network`].
#[derive(Debug, Clone, PartialEq, Eq, thiserror::Error)]
#[error("`{0}` is no network; expected something like 192.0.2.0/24, 2001:db8::/32 or one address")]
pub struct NetworkError(String);

impl FromStr for Network {
    type Err = NetworkError;
    fn from_str(text: &str) -> Result<Self, NetworkError> {
        let wrong = || NetworkError(text.chars().take(80).collect());
        let (address, bits) = match text.split_once('/') {
            Some((address, bits)) => (address, Some(bits.parse::<u8>().map_err(|_| wrong())?)),
            None => (text, None),
        };
        let address: IpAddr = address.parse().map_err(|_| wrong())?;
        let most = if address.is_ipv4() { 32 } else { 128 };
        let bits = bits.unwrap_or(most);
        if bits > most { Err(wrong()) } else { Ok(Network { address, bits }) }
    }
}

impl fmt::Display for Network {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        // As people write one address.
        let whole = if self.address.is_ipv4() { 32 } else { 128 };
        if self.bits == whole { write!(f, "{}", self.address) } else { write!(f, "{}/{}", self.address, self.bits) }
    }
}

impl<'de> Deserialize<'de> for Network {
    fn deserialize<D: Deserializer<'de>>(d: D) -> Result<Self, D::Error> {
        String::deserialize(d)?.parse().map_err(serde::de::Error::custom)
    }
}

impl Serialize for Network {
    fn serialize<S: Serializer>(&self, s: S) -> Result<S::Ok, S::Error> {
        s.collect_str(self)
    }
}

/// Who may come in: nobody that is denied; if anybody is allowed by name, nobody else.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub struct Acl {
    /// Only these; empty: everybody.
    pub allow: Vec<Network>,
    /// Not these, whatever else is said.
    pub deny: Vec<Network>,
}

impl Acl {
    /// Whether an address may come in.
    pub fn admits(&self, ip: IpAddr) -> bool {
        let listed = |list: &[Network]| list.iter().any(|n| n.holds(ip));
        !listed(&self.deny) && (self.allow.is_empty() || listed(&self.allow))
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_network_holds_its_addresses_and_no_others() {
        let net = |t: &str| t.parse::<Network>().unwrap();
        let ip = |t: &str| t.parse::<IpAddr>().unwrap();
        for (network, inside, outside) in [
            ("192.0.2.0/24", "192.0.2.255", "192.0.3.0"),
            ("10.0.0.0/8", "10.255.0.1", "11.0.0.1"),
            ("192.0.2.7", "192.0.2.7", "192.0.2.6"),
            ("192.0.2.0/24", "::ffff:192.0.2.9", "::ffff:192.0.3.9"),
            ("2001:db8::/32", "2001:db8:1::1", "2001:db9::1"),
            ("0.0.0.0/0", "203.0.113.1", "2001:db8::1"),
            ("::/0", "2001:db8::1", "203.0.113.1"),
        ] {
            assert!(net(network).holds(ip(inside)), "{inside} in {network}");
            assert!(!net(network).holds(ip(outside)), "{outside} in {network}");
        }
        for bad in ["", "192.0.2.0/33", "2001:db8::/129", "shop.example", "192.0.2.0/", "192.0.2.0/-1"] {
            assert!(bad.parse::<Network>().is_err(), "{bad}");
        }
    }

    #[test]
    fn what_is_denied_stays_out_and_an_allow_list_keeps_all_others_out() {
        let list = |t: &[&str]| t.iter().map(|t| t.parse().unwrap()).collect();
        let ip = |t: &str| t.parse::<IpAddr>().unwrap();
        assert!(Acl::default().admits(ip("203.0.113.1")));
        let acl = Acl { allow: list(&["10.0.0.0/8"]), deny: list(&["10.9.0.0/16"]) };
        assert!(acl.admits(ip("10.1.0.1")) && !acl.admits(ip("10.9.0.1")) && !acl.admits(ip("203.0.113.1")));
    }
}
