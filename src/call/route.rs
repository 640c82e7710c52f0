//! Routes: a number leads somewhere, or nowhere. Nothing leads to a trunk unless a route says so.

use serde::{Deserialize, Serialize};

use crate::base::{AgentId, FlowId, QueueId, TrunkId};

/// One line of the tenant's routing table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Which dialled numbers: `4000` exactly; `40xx` with `x` for one digit; `+86*` with `*` for the rest.
    #[serde(rename = "match")]
    pub pattern: Pattern,
    /// Where it leads.
    pub to: Destination,
    /// Who may use it.
    #[serde(default)]
    pub from: Audience,
}

/// Where a number leads.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Destination {
    /// An IVR flow.
    Flow(FlowId),
    /// Straight into a queue.
    Queue(QueueId),
    /// One agent.
    Agent(AgentId),
    /// Out.
    Trunk(Outward),
}

/// Out by a trunk, with the number as the carrier wants it.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Outward {
    /// By which.
    pub trunk: TrunkId,
    /// Characters taken off the front.
    #[serde(default)]
    pub strip: usize,
    /// Characters put in front.
    #[serde(default)]
    pub prefix: String,
}

impl Outward {
    /// The number as sent to the carrier.
    pub fn rewrite(&self, dialled: &str) -> String {
        let rest: String = dialled.chars().skip(self.strip).collect();
        format!("{}{rest}", self.prefix)
    }
}

/// Who may use a route. The default is the narrowest.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(rename_all = "snake_case")]
pub enum Audience {
    /// Only phones that have authenticated as one of the tenant's agents.
    #[default]
    Users,
    /// Also calls that come in by one of the tenant's trunks.
    Trunks,
    /// Anybody who can reach us.
    Public,
}

/// A number pattern.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(try_from = "String", into = "String")]
pub struct Pattern(String);

impl TryFrom<String> for Pattern {
    type Error = String;
    fn try_from(s: String) -> Result<Self, String> {
        let body = s.strip_suffix('*').unwrap_or(&s);
        let ok = |b: u8| b.is_ascii_alphanumeric() || matches!(b, b'+' | b'_' | b'.' | b'-' | b'#');
        if s.is_empty() || s.len() > 64 || body.is_empty() && s != "*" || !body.bytes().all(ok) {
            return Err(format!("`{s}` is not a number pattern: expected digits or a name, `x` for one digit, `*` at the end"));
        }
        Ok(Pattern(s))
    }
}

impl From<Pattern> for String {
    fn from(p: Pattern) -> String {
        p.0
    }
}

impl Pattern {
    /// True if `number` fits.
    pub fn matches(&self, number: &str) -> bool {
        let (body, open) = match self.0.strip_suffix('*') {
            Some(b) => (b, true),
            None => (self.0.as_str(), false),
        };
        // A name such as `max` is no pattern: `x` stands for a digit only among digits.
        let wild = body.bytes().all(|b| b.is_ascii_digit() || b == b'x' || b == b'+');
        let fits = |(p, n): (u8, u8)| p == n || wild && p == b'x' && n.is_ascii_digit();
        (number.len() == body.len() || open && number.len() > body.len()) && body.bytes().zip(number.bytes()).all(fits)
    }

    /// Exact before `x` before `*`; among open ones the longest.
    fn rank(&self) -> (bool, usize, usize) {
        let open = self.0.ends_with('*');
        let fixed = self.0.bytes().filter(|b| !matches!(b, b'x' | b'*')).count();
        (!open, fixed, self.0.len())
    }
}

impl std::fmt::Display for Pattern {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.write_str(&self.0)
    }
}

/// Who asks for a route.
#[derive(Debug, Clone, Copy, PartialEq, Eq)]
pub enum Asker {
    /// An authenticated phone of the tenant.
    User,
    /// A call that came in by a trunk.
    Trunk,
    /// Nobody we know.
    Stranger,
}

/// The best route for `number` that `asker` may use: the most exact pattern wins; among equals the first written.
pub fn find<'a>(routes: &'a [Route], number: &str, asker: Asker) -> Option<&'a Route> {
    let allowed = |r: &&Route| match asker {
        Asker::User => true,
        Asker::Trunk => r.from != Audience::Users,
        Asker::Stranger => r.from == Audience::Public,
    };
    let mut best: Option<&Route> = None;
    for r in routes.iter().filter(|r| r.pattern.matches(number)).filter(allowed) {
        if best.is_none_or(|b| r.pattern.rank() > b.pattern.rank()) {
            best = Some(r);
        }
    }
    // A stranger never leaves by a trunk, whatever a route says.
    best.filter(|r| asker != Asker::Stranger || !matches!(r.to, Destination::Trunk(_)))
}

#[cfg(test)]
mod tests {
    use super::*;

    fn table() -> Vec<Route> {
        let route = |m: &str, to, from| Route { pattern: Pattern::try_from(m.to_owned()).unwrap(), to, from };
        let flow = |f: &str| Destination::Flow(FlowId::parse(f).unwrap());
        let out = Destination::Trunk(Outward { trunk: TrunkId::parse("carrier").unwrap(), strip: 1, prefix: "+86".into() });
        vec![
            route("0*", out.clone(), Audience::Users),
            route("9*", out, Audience::Public),
            route("40xx", flow("group"), Audience::Public),
            route("4000", flow("main"), Audience::Public),
            route("max", Destination::Agent(AgentId::parse("max").unwrap()), Audience::Trunks),
        ]
    }

    #[test]
    fn the_exact_number_wins_over_the_pattern_whatever_the_order() {
        let t = table();
        assert_eq!(find(&t, "4000", Asker::Stranger).unwrap().pattern.to_string(), "4000");
        assert_eq!(find(&t, "4021", Asker::Stranger).unwrap().pattern.to_string(), "40xx");
        assert!(find(&t, "40211", Asker::Stranger).is_none());
    }

    #[test]
    fn a_stranger_reaches_only_what_is_public_and_never_a_trunk() {
        let t = table();
        assert!(find(&t, "013812345678", Asker::Stranger).is_none());
        assert!(find(&t, "913812345678", Asker::Stranger).is_none());
        assert!(find(&t, "max", Asker::Stranger).is_none());
        assert!(find(&t, "ma1", Asker::User).is_none());
        let r = find(&t, "013812345678", Asker::User).unwrap();
        let Destination::Trunk(o) = &r.to else { panic!("expected a trunk") };
        assert_eq!(o.rewrite("013812345678"), "+8613812345678");
    }
}
