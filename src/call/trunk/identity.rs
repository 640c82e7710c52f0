//! Who a call is from, as carriers say it: believed from those that are trusted, said as each wants to hear it.
//!
//! Read (RFC 3325, RFC 3323, draft-ietf-sip-privacy for Remote-Party-ID, RFC 5806, RFC 7044): P-Asserted-Identity, else
//! Remote-Party-ID, else From; Privacy withholds all of them; Diversion, else History-Info, says who was dialled first. From a
//! peer that is not trusted only From counts, and what it says is what a stranger says. An authenticated phone is known by the
//! name it proved, whatever it wrote.

use serde::{Deserialize, Serialize};

use super::{Numbers, numbers::subscriber};
use crate::{
    call::Party,
    sip::msg::{Headers, Host, Message, Name, NameAddr, SipUri, Uri},
};

/// How a trunk tells and is told who calls.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Identity {
    /// What it says about callers is believed. Only for carriers that check, on a path nobody else can write to.
    pub trusted: bool,
    /// A caller who is passed on is shown with their own number, not with the trunk's `caller_id`.
    pub pass_caller: bool,
    /// What we tell it beside From.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub tell: Vec<Tell>,
}

/// A header that says who calls, or by way of whom.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Tell {
    /// P-Asserted-Identity (RFC 3325): we vouch for it.
    AssertedIdentity,
    /// P-Preferred-Identity (RFC 3325): the carrier may check it.
    PreferredIdentity,
    /// Remote-Party-ID, of the years before.
    RemotePartyId,
    /// Diversion (RFC 5806): by way of which number of ours.
    Diversion,
    /// History-Info (RFC 7044): the same.
    HistoryInfo,
}

/// What was read.
#[derive(Debug, Clone, PartialEq, Eq, Default)]
pub(in crate::call) struct Read {
    pub party: Party,
    /// The number dialled first, before the call was led here.
    pub diverted: Option<String>,
}

/// A caller's display name as it may be shown.
fn display(text: &str) -> Option<String> {
    let clean: String = text.chars().filter(|c| !c.is_control()).take(80).collect();
    Some(clean.trim().to_owned()).filter(|d| !d.is_empty())
}

fn party(a: &NameAddr) -> Party {
    let user = a.uri.user();
    let number = if user.eq_ignore_ascii_case("anonymous") { String::new() } else { subscriber(&user).to_owned() };
    Party { number, display: display(&a.display) }
}

/// Whom the network says a request is from: all P-Asserted-Identity, else Remote-Party-ID.
pub(super) fn asserted(m: &Message) -> Vec<NameAddr> {
    let list = |name: Name| m.addresses(name).unwrap_or_default();
    let asserted = list(Name::PAssertedIdentity);
    if asserted.is_empty() { list(Name::from("Remote-Party-ID")) } else { asserted }
}

/// Who a request says it is from.
pub(in crate::call) fn read(m: &Message, trusted: bool, numbers: Option<&Numbers>) -> Read {
    let from = m.from().ok().map(|a| party(&a)).unwrap_or_default();
    let mut read = Read { party: from, diverted: None };
    if trusted {
        let first = |name: Name| m.addresses(name).ok().and_then(|list| list.into_iter().next());
        let rpid = first(Name::from("Remote-Party-ID"));
        let hidden = rpid.as_ref().and_then(|r| r.params.get("privacy")).is_some_and(|p| p.eq_ignore_ascii_case("full"));
        let asked = m.headers.items(&Name::Privacy).join(";").to_ascii_lowercase();
        let private = hidden || asked.split(';').any(|w| matches!(w.trim(), "id" | "user" | "header" | "full"));
        if let Some(a) = first(Name::PAssertedIdentity).or(rpid) {
            let asserted = party(&a);
            let display = asserted.display.or(read.party.display.take());
            read.party = Party { number: asserted.number, display };
        }
        if private {
            read.party = Party::default();
        }
        // The last diversion stands first; the number dialled first is the last of them. History counts the other way.
        let diversion = m.addresses(Name::Diversion).ok().and_then(|list| list.into_iter().last());
        let history = || {
            let list = m.addresses(Name::HistoryInfo).ok()?;
            (list.len() > 1).then(|| list.into_iter().next()).flatten()
        };
        read.diverted = diversion.or_else(history).map(|a| party(&a).number).filter(|n| !n.is_empty());
    }
    if let Some(n) = numbers {
        read.party.number = n.read(&read.party.number);
        read.diverted = read.diverted.map(|d| n.read(&d));
    }
    read
}

/// What a call by a trunk says about its caller.
#[derive(Debug, Clone, PartialEq, Eq)]
pub(super) struct Said {
    pub from: NameAddr,
    /// The number that is shown, in E.164 where it is known; empty when it is hidden.
    pub shown: String,
    pub headers: Headers,
}

/// Writes it. `user`: what a digest trunk knows us by, where no number is shown. `diverted`: the number of ours that was called.
#[expect(clippy::too_many_arguments, reason = "what one call says, each part from another place")]
pub(super) fn write(
    i: &Identity,
    caller: &Party,
    own: Option<&str>,
    user: Option<&str>,
    diverted: Option<&str>,
    called: &str,
    numbers: &Numbers,
    host: &Host,
) -> Said {
    let passed = i.pass_caller && diverted.is_some();
    let shown = match own {
        Some(own) if !passed => own,
        _ => &caller.number,
    };
    // A caller who wanted not to be known stays unknown, but the carrier may hear for whom we vouch.
    let private = passed && caller.number.is_empty();
    let vouched = if shown.is_empty() { own.unwrap_or_default() } else { shown };
    let at = |number: &str| NameAddr::new(SipUri::new(Some(&numbers.write(number)), host.clone(), None));
    let mut from = match (shown, user) {
        _ if private => NameAddr::new(anonymous()),
        ("", Some(user)) => NameAddr::new(SipUri::new(Some(user), host.clone(), None)),
        ("", None) => NameAddr::new(SipUri::new(Some("anonymous"), host.clone(), None)),
        (number, _) => at(number),
    };
    if let Some(d) = caller.display.as_deref().filter(|_| passed && !private) {
        from = from.with_display(d);
    }
    let mut headers = Headers::new();
    for tell in &i.tell {
        match tell {
            Tell::AssertedIdentity if !vouched.is_empty() => headers.push(Name::PAssertedIdentity, at(vouched)),
            Tell::PreferredIdentity if !vouched.is_empty() => headers.push(Name::PPreferredIdentity, at(vouched)),
            Tell::RemotePartyId if !vouched.is_empty() => {
                let mut a = at(vouched);
                a.params.set("party", "calling");
                a.params.set("privacy", if private { "full" } else { "off" });
                headers.push(Name::from("Remote-Party-ID"), a);
            }
            Tell::Diversion => {
                if let Some(d) = diverted {
                    let mut a = at(d);
                    a.params.set("reason", "unconditional");
                    a.params.set("counter", "1");
                    headers.push(Name::Diversion, a);
                }
            }
            Tell::HistoryInfo => {
                if let Some(d) = diverted {
                    let (first, then) = (at(d).uri, NameAddr::new(SipUri::new(Some(called), host.clone(), None)).uri);
                    let entries = format!("<{first}?Reason=SIP%3Bcause%3D302>;index=1, <{then}>;index=1.1;mp=1");
                    headers.push(Name::HistoryInfo, entries);
                }
            }
            _ => {}
        }
    }
    if private {
        headers.push(Name::Privacy, "id");
    }
    let shown = if private { String::new() } else { shown.to_owned() };
    Said { from, shown, headers }
}

/// RFC 3323 4.1.1.3.
fn anonymous() -> Uri {
    SipUri::new(Some("anonymous"), Host::parse("anonymous.invalid").expect("a plain host"), None).into()
}

#[cfg(test)]
mod tests {
    use super::*;
    use crate::sip::msg::Method;

    fn invite(headers: &[(&str, &str)]) -> Message {
        let mut m = Message::request(Method::Invite, Uri::parse("sip:4000@demo.example").unwrap());
        m.headers.push(Name::From, "\"Alice\" <sip:+3211@carrier.example>;tag=1");
        headers.iter().for_each(|(n, v)| m.headers.push(Name::from(*n), v));
        m
    }
    fn numbers() -> Numbers {
        Numbers::default().over(Some("32"), Some("0"))
    }

    #[test]
    fn a_trusted_carrier_is_believed_and_another_is_not() {
        let m = invite(&[
            ("P-Asserted-Identity", "\"Bob\" <tel:0470000009>"),
            ("Diversion", "<sip:4001@x>;reason=no-answer, <sip:032220000@x>;reason=user-busy"),
        ]);
        let r = read(&m, true, Some(&numbers()));
        assert_eq!((r.party.number.as_str(), r.party.display.as_deref()), ("+32470000009", Some("Bob")));
        assert_eq!(r.diverted.as_deref(), Some("+3232220000"));
        let r = read(&m, false, Some(&numbers()));
        assert_eq!((r.party.number.as_str(), r.party.display.as_deref(), r.diverted), ("+3211", Some("Alice"), None));
    }

    #[test]
    fn what_a_carrier_says_behind_a_number_is_no_part_of_the_caller() {
        let m = invite(&[(
            "P-Asserted-Identity",
            "\"Bob\" <sip:+12125550100;cpc=ordinary;oli=0;verstat=TN-Validation-Passed@x;user=phone>",
        )]);
        assert_eq!(read(&m, true, Some(&numbers())).party.number, "+12125550100");
    }

    #[test]
    fn who_wants_not_to_be_known_is_not() {
        for headers in [
            &[("P-Asserted-Identity", "<sip:+3222@x>"), ("Privacy", "id;critical")][..],
            &[("Remote-Party-ID", "<sip:+3222@x>;privacy=full;party=calling")][..],
        ] {
            assert_eq!(read(&invite(headers), true, None).party, Party::default());
        }
        let history = [("History-Info", "<sip:+3299@x>;index=1, <sip:4000@x>;index=1.1")];
        assert_eq!(read(&invite(&history), true, None).diverted.as_deref(), Some("+3299"));
    }

    #[test]
    fn each_carrier_hears_it_its_own_way_and_a_hidden_caller_stays_hidden() {
        let tell = vec![Tell::AssertedIdentity, Tell::RemotePartyId, Tell::Diversion, Tell::HistoryInfo];
        let i = Identity { trusted: true, pass_caller: true, tell };
        let host = Host::parse("carrier.example").unwrap();
        let caller = Party { number: "+32470000009".into(), display: Some("Bob".into()) };
        let said = write(&i, &caller, Some("+3228880000"), None, Some("+3228880000"), "0033", &numbers(), &host);
        assert_eq!(said.from.to_string(), "\"Bob\" <sip:+32470000009@carrier.example>");
        let value = |n: &str| said.headers.get(&Name::from(n)).unwrap().into_owned();
        assert_eq!(value("P-Asserted-Identity"), "<sip:+32470000009@carrier.example>");
        assert!(value("Diversion").starts_with("<sip:+3228880000@carrier.example>;reason=unconditional"));
        assert!(value("History-Info").contains(";index=1, <sip:0033@carrier.example>;index=1.1"));
        let hidden = write(&i, &Party::default(), Some("+3228880000"), None, Some("+3228880000"), "0033", &numbers(), &host);
        assert_eq!(hidden.from.to_string(), "<sip:anonymous@anonymous.invalid>");
        assert_eq!(hidden.headers.get(&Name::Privacy).unwrap(), "id");
        assert!(hidden.headers.get(&Name::PAssertedIdentity).unwrap().contains("+3228880000"), "we vouch for ourselves");
        // A call of our own shows our own number, whatever a trunk may pass on.
        let own = write(&i, &Party::default(), Some("+3228880000"), None, None, "0033", &numbers(), &host);
        assert_eq!(own.from.to_string(), "<sip:+3228880000@carrier.example>");
        assert!(!own.headers.has(&Name::Diversion));
    }
}
