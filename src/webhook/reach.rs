//! Which addresses may be told anything. An administrator of one tenant names the URL; what is inside the operator's network is
//! not theirs to knock at (CWE-918), unless the operator allowed it by name.

use std::net::IpAddr;

use crate::base::{Network, is_public};

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

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn the_operator_may_open_a_network_and_only_there_is_http_spoken_in_clear() {
        let reach = Reach { allow: vec!["10.0.0.0/8".parse().unwrap()] };
        let [near, other, far] = ["10.2.3.4", "192.168.0.1", "1.1.1.1"].map(|a: &str| a.parse().unwrap());
        assert!(reach.admits(near, true) && reach.admits(near, false));
        assert!(!reach.admits(other, true) && !reach.admits(other, false));
        assert!(reach.admits(far, true) && !reach.admits(far, false));
    }
}
