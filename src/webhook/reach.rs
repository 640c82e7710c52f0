//! Which addresses may be told anything. An administrator of one tenant names the URL; what is inside the operator's network is
//! not theirs to knock at (CWE-918), unless the operator allowed it by name.

use std::net::{IpAddr, Ipv4Addr, Ipv6Addr};

use crate::base::Network;

/// What may be reached besides the public internet.
#[derive(Debug, Clone, Default)]
pub struct Reach {
    /// Networks of the server's configuration. Plain `http` is spoken only to these.
    pub allow: Vec<Network>,
}

impl Reach {
    /// Whether an address was allowed by name.
    pub fn named(&self, ip: IpAddr) -> bool {
        self.allow.iter().any(|n| n.holds(ip))
    }
    /// Whether an address may be spoken to, in clear or not.
    pub fn admits(&self, ip: IpAddr, encrypted: bool) -> bool {
        self.named(ip) || (encrypted && is_public(ip))
    }
}

/// Whether an address is one of the public internet: none of the special-purpose registries (RFC 6890), and no IPv6 address
/// that only wraps an IPv4 one that is.
pub fn is_public(ip: IpAddr) -> bool {
    match ip {
        IpAddr::V4(ip) => public_v4(ip),
        IpAddr::V6(ip) => public_v6(ip),
    }
}

fn public_v4(ip: Ipv4Addr) -> bool {
    let [a, b, c, _] = ip.octets();
    !(ip.is_private()
        || ip.is_loopback()
        || ip.is_link_local()
        || ip.is_broadcast()
        || ip.is_multicast()
        || ip.is_documentation()
        || a == 0
        || a >= 240
        // Shared by carriers (RFC 6598), protocol assignments, relays of 6to4, benchmarks.
        || (a == 100 && (64..128).contains(&b))
        || (a == 192 && b == 0 && c == 0)
        || (a == 192 && b == 88 && c == 99)
        || (a == 198 && (18..20).contains(&b)))
}

fn public_v6(ip: Ipv6Addr) -> bool {
    let s = ip.segments();
    let v4 = |high: u16, low: u16| Ipv4Addr::from((u32::from(high) << 16) | u32::from(low));
    // Wrapped: mapped, translated (RFC 6052), 6to4. What is inside counts.
    if let Some(inside) = ip.to_ipv4_mapped() {
        return public_v4(inside);
    }
    if s[..6] == [0x64, 0xff9b, 0, 0, 0, 0] {
        return public_v4(v4(s[6], s[7]));
    }
    if s[0] == 0x2002 {
        return public_v4(v4(s[1], s[2]));
    }
    // Global unicast is 2000::/3; of it, not protocol assignments with Teredo, nor documentation.
    s[0] & 0xe000 == 0x2000
        && !(s[0] == 0x2001 && s[1] < 0x200)
        && !(s[0] == 0x2001 && s[1] == 0xdb8)
        && !(s[0] == 0x3fff && s[1] < 0x1000)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn nothing_inside_is_reached_however_its_address_is_dressed() {
        for inside in [
            "127.0.0.1",
            "0.0.0.0",
            "10.1.2.3",
            "172.31.0.1",
            "192.168.1.1",
            "169.254.169.254",
            "100.64.0.1",
            "192.0.0.170",
            "198.18.0.1",
            "203.0.113.5",
            "224.0.0.1",
            "255.255.255.255",
            "::",
            "::1",
            "::ffff:127.0.0.1",
            "::ffff:10.0.0.1",
            "::127.0.0.1",
            "64:ff9b::a00:1",
            "64:ff9b:1::a00:1",
            "2002:7f00:1::",
            "2001:0:4136:e378:8000:63bf:3fff:fdd2",
            "2001:db8::1",
            "fe80::1",
            "fd00::1",
            "fec0::1",
            "ff02::1",
        ] {
            assert!(!is_public(inside.parse().unwrap()), "{inside}");
        }
        for outside in ["1.1.1.1", "100.128.0.1", "192.0.1.1", "2606:4700::1111", "64:ff9b::101:101", "2002:101:101::1"] {
            assert!(is_public(outside.parse().unwrap()), "{outside}");
        }
    }

    #[test]
    fn the_operator_may_open_a_network_and_only_there_is_http_spoken_in_clear() {
        let reach = Reach { allow: vec!["10.0.0.0/8".parse().unwrap()] };
        let [near, other, far] = ["10.2.3.4", "192.168.0.1", "1.1.1.1"].map(|a: &str| a.parse().unwrap());
        assert!(reach.admits(near, true) && reach.admits(near, false));
        assert!(!reach.admits(other, true) && !reach.admits(other, false));
        assert!(reach.admits(far, true) && !reach.admits(far, false));
    }
}
