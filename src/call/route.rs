//! Routes: a number leads somewhere, or nowhere. Nothing leads to a trunk unless a route says so.

use serde::{Deserialize, Serialize};

use crate::base::{AgentId, FlowId, NumberPattern, QueueId, TrunkId};

/// One line of the tenant's routing table.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Route {
    /// Which dialled numbers: `4000` exactly; `40xx` with `x` for one digit; `+86*` with `*` for the rest.
    #[serde(rename = "match")]
    pub pattern: NumberPattern,
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
        if best.is_none_or(|b| r.pattern < b.pattern) {
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
        let route = |m: &str, to, from| Route { pattern: NumberPattern::parse(m).unwrap(), to, from };
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
