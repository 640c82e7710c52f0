//! The business configuration: what people write ([`Business`], one YAML), and what the center runs on ([`Settings`]).
//!
//! `Business` is read and written as text, diffed and versioned; `Settings` is compiled from it once, checked whole, and
//! swapped whole. Running interactions keep the `Arc` they began with. Passwords are not in it: they live in the directory.

mod alerts;
mod chat;
mod floor;
mod flows;
mod look;
mod recording;
mod retention;
mod security;
mod transcripts;
mod trunks;

pub use alerts::Alerts;
pub use chat::{CallMe, Chat, Files, Offline, Presence, Rating, TalkNow, TalkTo};
pub use floor::{CallRules, Supervision};
pub use flows::Canned;
pub use look::Look;
pub use recording::{Recording, RecordingFormat};
pub use retention::Retention;
pub use security::Security;
use std::{collections::BTreeMap, sync::Arc, time::Duration};
pub use transcripts::Transcripts;

use serde::{Deserialize, Serialize};

use super::callback::ChosenHours;
use crate::{
    base::{AgentId, CalendarId, CodeId, FlowId, QueueId, SlaId, TenantId, TrunkId, Wall, e164},
    call::{
        Dtmf, MediaPolicy, PhonePolicies,
        route::{self, Destination, Route},
        trunk,
    },
    ivr, routing,
    sdp::{self, Srtp},
};

pub use trunks::Trunk;

/// Everything an administrator decides, for all tenants.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct Business {
    /// Who is served, by id.
    pub tenants: BTreeMap<TenantId, Tenant>,
}

/// One customer organisation.
#[derive(Debug, Clone, PartialEq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Tenant {
    /// Shown to people.
    pub name: String,
    /// SIP domains of this tenant's phones and numbers. The tenant without any, or with `*`, takes what no other claims.
    pub domains: Vec<String>,
    /// Country code without plus, for numbers given in national form.
    pub country: Option<String>,
    /// National prefix dropped before the country code.
    pub trunk_prefix: Option<String>,
    /// Language of a contact whose language is not known: `zh-CN`, `en-US`.
    pub language: String,
    /// Queues, agents, skills, calendars and codes.
    pub routing: routing::Plan,
    /// What is spoken with phones and strangers.
    #[serde(skip_serializing_if = "Media::is_empty")]
    pub media: Media,
    /// What is spoken with the phones of some agents instead.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub phones: BTreeMap<AgentId, Media>,
    /// Carriers.
    pub trunks: BTreeMap<TrunkId, Trunk>,
    /// Who may call out where, and how much.
    #[serde(skip_serializing_if = "is_default")]
    pub toll: trunk::Toll,
    /// Several trunks under one name, which a route may lead to: the next is tried when one cannot take the call.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub trunk_groups: BTreeMap<TrunkId, Vec<trunk::Member>>,
    /// Which number leads where.
    pub routes: Vec<Route>,
    /// Web chat.
    pub chat: Chat,
    /// What is recorded.
    pub recording: Recording,
    /// What the files of recordings hold.
    #[serde(skip_serializing_if = "is_default")]
    pub recording_format: RecordingFormat,
    /// What happens during calls.
    #[serde(skip_serializing_if = "CallRules::is_default")]
    pub calls: CallRules,
    /// Who supervises what, and what agents are told of it.
    #[serde(skip_serializing_if = "Supervision::is_default")]
    pub supervision: Supervision,
    /// What is watched for on the floor.
    #[serde(skip_serializing_if = "is_default")]
    pub alerts: Alerts,
    /// Programs outside that may be sent the sound of calls while they are spoken, by name.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub streams: BTreeMap<String, StreamTo>,
    /// The one that is sent every conversation with an agent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub stream_talks: Option<String>,
    /// Which calls are written down while they are spoken.
    #[serde(skip_serializing_if = "Transcripts::is_default")]
    pub transcripts: Transcripts,
    /// How long what is kept.
    #[serde(skip_serializing_if = "Retention::is_default")]
    pub retention: Retention,
    /// What people must show to come in.
    #[serde(skip_serializing_if = "Security::is_default")]
    pub security: Security,
    /// The hours customers may choose to be called back at, by the queue that calls.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub callback_hours: BTreeMap<QueueId, ChosenHours>,
    /// Promises made on tickets.
    pub slas: BTreeMap<SlaId, Sla>,
    /// The promise on a ticket that names none.
    pub default_sla: Option<SlaId>,
    /// Values flows may read as `config.NAME`.
    pub flow_config: BTreeMap<String, String>,
    /// Replies agents send again and again.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub canned: BTreeMap<CodeId, Canned>,
    /// Flows of this tenant's own as text, in front of those of the process.
    #[serde(skip_serializing_if = "BTreeMap::is_empty")]
    pub flows: BTreeMap<FlowId, String>,
}

/// Where the sound of a call may be sent while it is spoken: a WebSocket server, a recogniser for one.
#[derive(Debug, Clone, PartialEq, Eq, Serialize, Deserialize)]
#[serde(deny_unknown_fields)]
pub struct StreamTo {
    /// `wss://asr.example/calls`. The process must allow it: `[media] streams_allow`.
    pub url: String,
    /// Samples a second, 8000 or 16000.
    #[serde(default = "telephone_rate")]
    pub rate: u32,
    /// Name of the secret shown as bearer token.
    #[serde(default, skip_serializing_if = "Option::is_none")]
    pub token_secret: Option<String>,
}

fn telephone_rate() -> u32 {
    8_000
}

/// What is spoken with a peer. What is not said is as for the tenant's phones, and for those as [`MediaPolicy`] has it.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// Preferred first: `pcma`, `pcmu`, ...
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub codecs: Vec<String>,
    /// Encryption with keys from the signalling: `never`, `optional`, `required`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub srtp: Option<Srtp>,
    /// How digits are told: `rfc4733`, `info`, `inband`.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub dtmf: Option<Dtmf>,
    /// Whether peers may fall silent with comfort noise.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub comfort_noise: Option<bool>,
}

impl Media {
    fn is_empty(&self) -> bool {
        *self == Media::default()
    }

    /// Compiled, over what holds elsewhere.
    fn over(&self, base: &MediaPolicy) -> MediaPolicy {
        let named: Vec<_> = self.codecs.iter().filter_map(|word| sdp::codec_named(word)).collect();
        MediaPolicy {
            codecs: if named.is_empty() { base.codecs.clone() } else { named },
            srtp: self.srtp.unwrap_or(base.srtp),
            dtmf: self.dtmf.unwrap_or(base.dtmf),
            comfort_noise: self.comfort_noise.unwrap_or(base.comfort_noise),
        }
    }

    fn problems(&self, at: &str, bad: &mut Vec<String>) {
        for word in self.codecs.iter().filter(|w| sdp::codec_named(w).is_none()) {
            bad.push(format!("{at}.codecs: `{word}` is not known; expected {}", sdp::codec_names().join(", ")));
        }
    }
}

/// What is as it is without being written is not written.
fn is_default<T: Default + PartialEq>(value: &T) -> bool {
    *value == T::default()
}

/// A promise on tickets. Times are of open hours of the calendar.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sla {
    /// Shown to people.
    pub name: String,
    /// Hours that count; all if absent.
    pub calendar: Option<CalendarId>,
    /// First human reply, minutes.
    pub first_reply_min: Option<u32>,
    /// Every next reply, minutes.
    pub next_reply_min: Option<u32>,
    /// Resolution, minutes.
    pub resolve_min: Option<u32>,
    /// First look by a new owner, minutes.
    pub owner_ack_min: Option<u32>,
    /// A resolved ticket may be reopened for so many hours; 72 if absent.
    pub reopen_h: Option<u32>,
}

impl Sla {
    /// How long a resolved ticket may be reopened.
    pub fn reopen_window(&self) -> Duration {
        Duration::from_secs(3600 * u64::from(self.reopen_h.unwrap_or(72)))
    }
}

impl Business {
    /// Reads YAML. The error names line and column.
    pub fn parse(yaml: &str) -> Result<Self, String> {
        serde_saphyr::from_str(yaml).map_err(|e| e.to_string())
    }

    /// Writes YAML that reads back as the same value.
    pub fn to_yaml(&self) -> String {
        serde_saphyr::to_string(self).expect("plain data with string keys can always be written as YAML")
    }

    /// Every mistake the types cannot see, each a sentence that begins with its path.
    pub fn problems(&self) -> Vec<String> {
        let mut bad = Vec::new();
        let mut domains: BTreeMap<&str, &TenantId> = BTreeMap::new();
        for (id, t) in &self.tenants {
            let at = format!("tenants.{id}");
            for d in &t.domains {
                if let Some(other) = domains.insert(d, id) {
                    bad.push(format!("{at}.domains: `{d}` already belongs to tenant `{other}`"));
                }
            }
            bad.extend(t.routing.validate().into_iter().map(|p| format!("{at}.routing.{p}")));
            t.route_problems(&at, &mut bad);
            t.talk_problems(&at, &mut bad);
            for (queue, hours) in &t.callback_hours {
                let at = format!("{at}.callback_hours.{queue}");
                if !t.routing.queues.contains_key(queue) {
                    bad.push(format!("{at}: there is no queue `{queue}`"));
                }
                hours.problems(&at, t.routing.calendars.contains_key(&hours.calendar), &mut bad);
            }
            t.supervision.problems(&at, |q| t.routing.queues.contains_key(q), &mut bad);
            t.alerts.problems(&at, |q| t.routing.queues.contains_key(q), &mut bad);
            t.transcripts.problems(&at, |q| t.routing.queues.contains_key(q), &mut bad);
            t.retention.problems(&at, &mut bad);
            t.trunk_problems(&at, &mut bad);
            t.group_problems(&at, &mut bad);
            t.stream_problems(&at, &mut bad);
            t.canned_problems(&at, &mut bad);
            t.chat.problems(&format!("{at}.chat"), &t.routing, &t.slas, &mut bad);
            t.media.problems(&format!("{at}.media"), &mut bad);
            for (agent, m) in &t.phones {
                m.problems(&format!("{at}.phones.{agent}"), &mut bad);
                if !t.routing.agents.contains_key(agent) {
                    bad.push(format!("{at}.phones.{agent}: there is no agent `{agent}`"));
                }
            }
            for (sla, s) in &t.slas {
                if let Some(c) = s.calendar.as_ref().filter(|c| !t.routing.calendars.contains_key(*c)) {
                    bad.push(format!("{at}.slas.{sla}.calendar: there is no calendar `{c}`"));
                }
            }
            if let Some(s) = t.default_sla.as_ref().filter(|s| !t.slas.contains_key(*s)) {
                bad.push(format!("{at}.default_sla: there is no SLA `{s}`"));
            }
            if !matches!(t.language.as_str(), "" | "zh-CN" | "en-US") {
                bad.push(format!("{at}.language: `{}` is not known; expected zh-CN or en-US", t.language));
            }
        }
        bad
    }
}

impl Tenant {
    fn route_problems(&self, at: &str, bad: &mut Vec<String>) {
        for (i, r) in self.routes.iter().enumerate() {
            let at = format!("{at}.routes[{i}] ({})", r.pattern);
            match &r.to {
                Destination::Queue(q) if !self.routing.queues.contains_key(q) => {
                    bad.push(format!("{at}: there is no queue `{q}`"))
                }
                Destination::Agent(a) if !self.routing.agents.contains_key(a) => {
                    bad.push(format!("{at}: there is no agent `{a}`"))
                }
                Destination::Trunk(o) if !self.trunks.contains_key(&o.trunk) && !self.trunk_groups.contains_key(&o.trunk) => {
                    bad.push(format!("{at}: there is no trunk `{}`", o.trunk));
                }
                Destination::Trunk(_) if r.from == crate::call::route::Audience::Public => {
                    bad.push(format!("{at}: a public route must not lead to a trunk (anybody could call out at your cost)"));
                }
                _ => {}
            }
        }
    }

    fn stream_problems(&self, at: &str, bad: &mut Vec<String>) {
        for (name, s) in &self.streams {
            if !s.url.starts_with("wss://") && !s.url.starts_with("ws://") {
                bad.push(format!("{at}.streams.{name}.url: `{}` is no address of a WebSocket; expected wss://..", s.url));
            }
            if !matches!(s.rate, 8_000 | 16_000) {
                bad.push(format!("{at}.streams.{name}.rate: {} is not offered; expected 8000 or 16000", s.rate));
            }
        }
        if let Some(name) = self.stream_talks.as_ref().filter(|n| !self.streams.contains_key(*n)) {
            bad.push(format!("{at}.stream_talks: there is no stream `{name}`"));
        }
    }

    /// Where a number leads for this asker, with the form of the number the route is written for: as used inside, else as
    /// dialled, for a `9` that means an outside line makes no telephone number.
    pub fn route_of(&self, dialled: &str, asker: route::Asker) -> Option<(&Route, String)> {
        let forms = [self.number(dialled), dialled.trim().to_owned()];
        forms.into_iter().find_map(|form| route::find(&self.routes, &form, asker).map(|r| (r, form)))
    }

    /// What agents are called by: their names, and the numbers that lead to one. A lamp may be set on any of them, whether or not
    /// the agent has ever been here.
    pub fn extensions(&self) -> impl Iterator<Item = (&str, &AgentId)> {
        let numbers = self.routes.iter().filter(|r| r.pattern.is_exact()).filter_map(|r| match &r.to {
            route::Destination::Agent(agent) => Some((r.pattern.as_str(), agent)),
            _ => None,
        });
        self.routing.agents.keys().map(|a| (a.as_str(), a)).chain(numbers)
    }

    /// What is spoken with this tenant's phones.
    pub fn phone_policies(&self) -> PhonePolicies {
        let all = self.media.over(&MediaPolicy::default());
        let users = self.phones.iter().map(|(agent, m)| (agent.to_string(), m.over(&all))).collect();
        PhonePolicies { all, users }
    }

    /// What is spoken with one of its trunks.
    pub fn trunk_policy(&self, trunk: &Trunk) -> MediaPolicy {
        trunk.media.over(&self.phone_policies().all)
    }

    /// A number in the one form this tenant uses inside.
    pub fn number(&self, raw: &str) -> String {
        e164::normalise(raw, self.country.as_deref(), self.trunk_prefix.as_deref())
    }
}

/// What the center runs on: the business, compiled.
#[derive(Debug)]
pub struct Settings {
    /// Counts up with every change.
    pub version: u64,
    /// By id.
    pub tenants: BTreeMap<TenantId, Arc<TenantSettings>>,
}

/// One tenant, compiled.
#[derive(Debug)]
pub struct TenantSettings {
    /// Which.
    pub id: TenantId,
    /// As written.
    pub config: Tenant,
    /// For the router.
    pub plan: Arc<routing::Plan>,
    /// Flows by id, with the hours they may ask for.
    pub library: Arc<ivr::Library>,
}

/// Opening hours for flows, from the routing plan.
#[derive(Debug)]
struct PlanHours(Arc<routing::Plan>);

impl ivr::Hours for PlanHours {
    fn state(&self, calendar: &CalendarId, at: Wall) -> Option<ivr::HoursState> {
        use routing::hours::State as H;
        self.0.calendars.get(calendar).map(|c| match c.state(at) {
            H::Open => ivr::HoursState::Open,
            H::Closed => ivr::HoursState::Closed,
            H::Holiday => ivr::HoursState::Holiday,
            H::Emergency => ivr::HoursState::Emergency,
        })
    }
}

impl Settings {
    /// The realm phones of a tenant are asked with: its first named domain, else its id.
    pub fn realm(&self, tenant: &TenantId) -> String {
        let named = self.tenants.get(tenant).and_then(|t| t.config.domains.iter().find(|d| *d != "*"));
        named.cloned().unwrap_or_else(|| tenant.to_string())
    }

    /// Compiles and checks. `flows` are the parsed flow files; every tenant may use them all, and has its own in front of them.
    pub fn compile(
        version: u64,
        business: Business,
        flows: &BTreeMap<FlowId, Arc<ivr::Flow>>,
    ) -> Result<Settings, Vec<String>> {
        let mut bad = business.problems();
        let mut own = BTreeMap::new();
        for (id, t) in &business.tenants {
            let flows = t.flows_over(&format!("tenants.{id}"), flows, &mut bad);
            let named = t.routes.iter().enumerate().filter_map(|(i, r)| match &r.to {
                Destination::Flow(f) => Some((format!("routes[{i}] ({})", r.pattern), f)),
                _ => None,
            });
            let talk = t.chat.talk_now.as_ref().and_then(|t| match &t.to {
                TalkTo::Flow(f) => Some(("chat.talk_now.to".to_owned(), f)),
                TalkTo::Number(_) => None,
            });
            for (at, f) in named.chain(t.chat.flow.as_ref().map(|f| ("chat.flow".to_owned(), f))).chain(talk) {
                if !flows.contains_key(f) {
                    bad.push(format!("tenants.{id}.{at}: there is no flow `{f}`"));
                }
            }
            own.insert(id.clone(), flows);
        }
        if !bad.is_empty() {
            return Err(bad);
        }
        let tenants = business.tenants.into_iter().map(|(id, config)| {
            let plan = Arc::new(config.routing.clone());
            let library = ivr::Library {
                flows: own.remove(&id).unwrap_or_default(),
                hours: Arc::new(PlanHours(plan.clone())),
                config: config.flow_config.clone(),
            };
            (id.clone(), Arc::new(TenantSettings { id, plan, library: Arc::new(library), config }))
        });
        Ok(Settings { version, tenants: tenants.collect() })
    }

    /// The tenant a SIP domain belongs to; else the one that takes what no other claims.
    pub fn tenant_of_domain(&self, domain: &str) -> Option<&Arc<TenantSettings>> {
        let named = |t: &&Arc<TenantSettings>| t.config.domains.iter().any(|d| d.eq_ignore_ascii_case(domain));
        let open = |t: &&Arc<TenantSettings>| t.config.domains.is_empty() || t.config.domains.iter().any(|d| d == "*");
        self.tenants.values().find(named).or_else(|| self.tenants.values().find(open))
    }
}

/// The lines that differ between two texts, with the unchanged lines around them: what an administrator is shown before a
/// change is put in force. Empty when nothing differs.
pub fn diff(old: &str, new: &str) -> String {
    let (a, b): (Vec<&str>, Vec<&str>) = (old.lines().collect(), new.lines().collect());
    // Longest common subsequence over lines; configurations are some thousand lines at most, so the plain table will do.
    // Beyond that the texts are shown whole rather than computed for seconds.
    const CELLS_MAX: usize = 16_000_000;
    let head = a.iter().zip(&b).take_while(|(x, y)| x == y).count();
    let tail = a[head..].iter().rev().zip(b[head..].iter().rev()).take_while(|(x, y)| x == y).count();
    let (ma, mb) = (&a[head..a.len() - tail], &b[head..b.len() - tail]);
    if ma.is_empty() && mb.is_empty() {
        return String::new();
    }
    let mut lines: Vec<(char, &str)> = a[head.saturating_sub(3)..head].iter().map(|l| (' ', *l)).collect();
    if ma.len().saturating_mul(mb.len()) > CELLS_MAX {
        lines.extend(ma.iter().map(|l| ('-', *l)));
        lines.extend(mb.iter().map(|l| ('+', *l)));
    } else {
        lines.extend(lcs_lines(ma, mb));
    }
    lines.extend(a[a.len() - tail..].iter().take(3).map(|l| (' ', *l)));
    // Runs of more than six unchanged lines are cut to three at each end.
    let mut out = String::new();
    let mut i = 0;
    while i < lines.len() {
        let run = lines[i..].iter().take_while(|(c, _)| *c == ' ').count();
        if run > 6 {
            for (c, l) in &lines[i..i + 3] {
                out.push_str(&format!("{c} {l}\n"));
            }
            out.push_str("  ...\n");
            i += run - 3;
            continue;
        }
        let (c, l) = lines[i];
        out.push_str(&format!("{c} {l}\n"));
        i += 1;
    }
    out
}

fn lcs_lines<'a>(a: &[&'a str], b: &[&'a str]) -> Vec<(char, &'a str)> {
    let w = b.len() + 1;
    let mut t = vec![0u32; (a.len() + 1) * w];
    for i in (0..a.len()).rev() {
        for j in (0..b.len()).rev() {
            t[i * w + j] = if a[i] == b[j] { t[(i + 1) * w + j + 1] + 1 } else { t[(i + 1) * w + j].max(t[i * w + j + 1]) };
        }
    }
    let (mut i, mut j, mut out) = (0, 0, Vec::new());
    while i < a.len() || j < b.len() {
        if i < a.len() && j < b.len() && a[i] == b[j] {
            out.push((' ', a[i]));
            (i, j) = (i + 1, j + 1);
        } else if j >= b.len() || i < a.len() && t[(i + 1) * w + j] >= t[i * w + j + 1] {
            out.push(('-', a[i]));
            i += 1;
        } else {
            out.push(('+', b[j]));
            j += 1;
        }
    }
    out
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_number_is_looked_for_as_written_inside_and_as_dialled_and_rewritten_in_the_form_that_was_found() {
        let to = |prefix: &str, strip| {
            Destination::Trunk(route::Outward { trunk: TrunkId::parse("carrier").unwrap(), strip, prefix: prefix.into() })
        };
        let line = |pattern: &str, to| Route { pattern: pattern.parse().unwrap(), to, from: route::Audience::Users };
        let t = Tenant {
            country: Some("1".into()),
            routes: vec![line("+1*", to("00", 1)), line("9*", to("", 1))],
            ..Tenant::default()
        };
        let sent = |dialled: &str| match t.route_of(dialled, route::Asker::User) {
            Some((Route { to: Destination::Trunk(o), .. }, form)) => Some(o.rewrite(&form)),
            _ => None,
        };
        assert_eq!(
            sent("5551234567").as_deref(),
            Some("0015551234567"),
            "the national form by the route for the international one"
        );
        assert_eq!(sent("9110").as_deref(), Some("110"), "an outside line by 9");
        assert_eq!(sent("4000"), None);
        assert!(t.route_of("9110", route::Asker::Stranger).is_none());
    }

    #[test]
    fn a_change_is_shown_with_its_surroundings_and_nothing_else() {
        let old = "a\nb\nc\nd\ne\nf\n";
        let new = "a\nb\nc\nD\ne\nf\n";
        assert_eq!(diff(old, new), "  a\n  b\n  c\n- d\n+ D\n  e\n  f\n");
        assert_eq!(diff(old, old), "");
        assert_eq!(diff("", "x\n"), "+ x\n");
    }

    #[test]
    fn a_public_way_to_a_trunk_is_refused_before_it_costs_money() {
        let yaml = r#"
tenants:
  demo:
    trunks: {carrier: {host: 127.0.0.1}}
    routes:
      - {match: "0*", to: {trunk: {trunk: carrier}}, from: public}
"#;
        let problems = Business::parse(yaml).unwrap().problems();
        assert_eq!(problems.len(), 1);
        assert!(problems[0].contains("routes[0] (0*)") && problems[0].contains("must not lead to a trunk"), "{problems:?}");
    }

    #[test]
    fn what_is_spoken_with_a_trunk_is_what_is_spoken_with_phones_unless_said_otherwise() {
        let yaml = r#"
tenants:
  demo:
    routing: {agents: {anna: {name: Anna}}}
    media: {codecs: [pcmu, pcma], srtp: required}
    phones: {anna: {srtp: optional, dtmf: info}}
    trunks: {carrier: {host: 127.0.0.1, media: {srtp: never}}}
"#;
        let business = Business::parse(yaml).unwrap();
        assert_eq!(business.problems(), Vec::<String>::new());
        assert_eq!(Business::parse(&business.to_yaml()).unwrap(), business);
        let t = &business.tenants[&TenantId::parse("demo").unwrap()];
        let (phones, trunk) = (t.phone_policies(), t.trunk_policy(&t.trunks[&TrunkId::parse("carrier").unwrap()]));
        let said = |p: &MediaPolicy| (sdp::codec_name(p.codecs[0]), p.srtp, p.dtmf);
        assert_eq!(said(&phones.all), ("pcmu", Srtp::Required, Dtmf::Rfc4733));
        assert_eq!(said(&phones.users["anna"]), ("pcmu", Srtp::Optional, Dtmf::Info));
        assert_eq!(said(&trunk), ("pcmu", Srtp::Never, Dtmf::Rfc4733));
        let wrong = Business::parse(&yaml.replace("pcmu", "g729").replace("{anna: {srtp", "{ben: {srtp")).unwrap().problems();
        assert_eq!(wrong.len(), 2, "{wrong:?}");
        assert!(wrong[0].contains("media.codecs: `g729`") && wrong[1].contains("phones.ben"), "{wrong:?}");
    }

    #[test]
    fn a_misspelt_key_is_named_with_its_line() {
        let e = Business::parse("tenants:\n  demo:\n    nmae: Demo\n").unwrap_err();
        assert!(e.contains("nmae") && e.contains('3'), "{e}");
    }
}
