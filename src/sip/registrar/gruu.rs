//! One phone of somebody by an address of its own (GRUU, RFC 5627): the address of record, and which instance.
//!
//! ```text
//! REGISTER, Supported: gruu, +sip.instance ──▶ 200, pub-gruu="sip:anna@shop.example;gr=urn:uuid:..."
//! INVITE or Refer-To that address ──▶ that phone rings and no other
//! ```
//! The temporary ones of the RFC hide who is behind an address. Nobody hears a phone's contact from us, for every call goes on
//! in one of our own: there is nothing to hide, and none are made.

use super::Binding;
use crate::sip::msg::SipUri;

/// The address of one phone. `aor`: the address of record as the phone writes it; `instance`: its `+sip.instance`.
pub fn public(aor: &SipUri, instance: &str) -> SipUri {
    let mut uri = SipUri::new(aor.user().as_deref(), aor.host.clone(), aor.port);
    uri.secure = aor.secure;
    uri.set_param("gr", bare(instance));
    uri
}

/// Which instance an address means; `None`: whoever is reached by it.
pub fn instance(uri: &SipUri) -> Option<String> {
    let named = crate::sip::msg::scan::unescape(&uri.params.get("gr")?).into_owned();
    (!named.is_empty()).then_some(named)
}

/// Whether a binding is of that instance.
pub fn is_of(binding: &Binding, instance: &str) -> bool {
    // A URN's scheme and UUID do not depend on case (RFC 4122 section 3).
    binding.instance.as_deref().is_some_and(|i| bare(i).eq_ignore_ascii_case(bare(instance)))
}

/// Without the brackets it stands in.
fn bare(instance: &str) -> &str {
    instance.trim_start_matches('<').trim_end_matches('>')
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::msg::Uri;

    #[test]
    fn the_address_of_a_phone_names_it_and_reads_back() {
        let Ok(Uri::Sip(aor)) = Uri::parse("sip:anna@shop.example:5070;transport=tcp?a=b") else { panic!("a SIP address") };
        let made = public(&aor, "<urn:uuid:F81D4FAE-7dec-11d0-a765-00a0c91e6bf6>");
        assert_eq!(made.to_string(), "sip:anna@shop.example:5070;gr=urn:uuid:F81D4FAE-7dec-11d0-a765-00a0c91e6bf6");
        assert_eq!(instance(&made).as_deref(), Some("urn:uuid:F81D4FAE-7dec-11d0-a765-00a0c91e6bf6"));
        assert_eq!(instance(&aor), None);
        let odd = public(&aor, "<odd;thing@>");
        let Ok(Uri::Sip(read)) = Uri::parse(&odd.to_string()) else { panic!("{odd}") };
        assert_eq!(instance(&read).as_deref(), Some("odd;thing@"));
        let Ok(Uri::Sip(flag)) = Uri::parse("sip:anna@shop.example;gr") else { panic!("a SIP address") };
        assert_eq!(instance(&flag), None);
    }
}
