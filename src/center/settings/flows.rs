//! What a tenant keeps of its own besides queues and numbers: flows it has published, and replies agents send again and again.

use std::{collections::BTreeMap, sync::Arc};

use serde::{Deserialize, Serialize};

use super::Tenant;
use crate::{
    base::{FlowId, QueueId, limits},
    call::route::Destination,
    ivr::{self, CalendarInfo, Flow, PromptInfo},
    routing::hours::Calendar,
};

/// A reply agents send again and again.
#[derive(Debug, Clone, PartialEq, Eq, Default, Serialize, Deserialize)]
#[serde(deny_unknown_fields, default)]
pub struct Canned {
    /// What it is found by; the id if empty.
    pub name: String,
    /// The words. `{customer}`, `{agent}` and `{queue}` stand for their names.
    pub text: String,
    /// Language it is written in, `zh-CN`; any if absent.
    #[serde(skip_serializing_if = "Option::is_none")]
    pub lang: Option<String>,
    /// Queues it is offered in; all if empty.
    #[serde(skip_serializing_if = "Vec::is_empty")]
    pub queues: Vec<QueueId>,
}

impl Tenant {
    /// Every flow this tenant may use: its own in front of those of the process. Mistakes go to `bad`, each with its line.
    pub(super) fn flows_over(
        &self,
        at: &str,
        common: &BTreeMap<FlowId, Arc<Flow>>,
        bad: &mut Vec<String>,
    ) -> BTreeMap<FlowId, Arc<Flow>> {
        let mut all = common.clone();
        if self.flows.values().map(String::len).sum::<usize>() > limits::FLOWS_PUBLISHED_BYTES_MAX {
            let most = limits::FLOWS_PUBLISHED_BYTES_MAX;
            bad.push(format!("{at}.flows: the flows of a tenant may have {most} bytes together"));
            return all;
        }
        for (id, text) in &self.flows {
            match Flow::parse(id.as_str(), text) {
                Ok(flow) if flow.id == *id => drop(all.insert(id.clone(), Arc::new(flow))),
                Ok(flow) => bad.push(format!("{at}.flows.{id}: the text is that of a flow `{}`", flow.id)),
                Err(errors) => bad.extend(errors.0.iter().map(|e| format!("{at}.flows.{e}"))),
            }
        }
        all
    }

    /// Replies that name what does not exist, or say nothing.
    pub(super) fn canned_problems(&self, at: &str, bad: &mut Vec<String>) {
        for (id, c) in &self.canned {
            if c.text.trim().is_empty() || c.text.chars().count() > limits::CANNED_TEXT_MAX {
                bad.push(format!("{at}.canned.{id}.text: expected 1 to {} characters", limits::CANNED_TEXT_MAX));
            }
            for q in c.queues.iter().filter(|q| !self.routing.queues.contains_key(*q)) {
                bad.push(format!("{at}.canned.{id}.queues: there is no queue `{q}`"));
            }
        }
    }

    /// What a flow of this tenant may name, for the linter. Addresses it may ask are added by whoever knows them.
    pub fn catalog<'a>(&self, prompt_file: &'a dyn Fn(&str) -> Option<PromptInfo>) -> ivr::Catalog<'a> {
        let prefix = |p: String| p.trim_end_matches(['*', 'x']).to_owned();
        let outward = self.routes.iter().filter(|r| matches!(r.to, Destination::Trunk(_)));
        ivr::Catalog {
            queues: self.routing.queues.keys().cloned().collect(),
            skills: self.routing.skills.keys().cloned().collect(),
            agents: self.routing.agents.keys().cloned().collect(),
            slas: self.slas.keys().cloned().collect(),
            music: ["default".to_owned()].into_iter().collect(),
            calendars: self.routing.calendars.iter().map(|(id, c)| (id.clone(), calendar_info(c))).collect(),
            transfer_prefixes: outward.map(|r| prefix(r.pattern.to_string())).collect(),
            prompt_file,
            ..ivr::Catalog::default()
        }
    }
}

fn calendar_info(c: &Calendar) -> CalendarInfo {
    // Holidays are entered by the year: as many months as there are from the first to the last, and the present one.
    let months = |d: jiff::civil::Date| i32::from(d.year()) * 12 + i32::from(d.month());
    let (first, last) = (c.holidays.iter().map(|h| months(h.date)).min(), c.holidays.iter().map(|h| months(h.date)).max());
    let ahead = first.zip(last).map_or(0, |(a, b)| b - a + 1);
    CalendarInfo { zone_known: c.validate().is_empty(), holidays_months: u32::try_from(ahead).unwrap_or(0) }
}

#[cfg(test)]
mod tests {
    use crate::center::settings::{Business, Settings};

    const BUSINESS: &str = r#"
tenants:
  demo:
    routes: [{match: "4000", to: {flow: front}}]
    flows:
      front: |
        flow: front
        schema: 1
        languages: [en-US]
        start: a
        prompts:
          hi: {en-US: {say: Hello.}}
        nodes:
          a: {say: [hi], then: z}
          z: {hangup: {}}
    canned: {thanks: {name: Thanks, text: "Thank you, {customer}."}}
  other: {}
"#;

    #[test]
    fn a_flow_a_tenant_has_published_is_its_own_and_a_mistake_in_it_is_named_with_its_line() {
        let common = Default::default();
        let business = Business::parse(BUSINESS).unwrap();
        assert_eq!(Business::parse(&business.to_yaml()).unwrap(), business, "{}", business.to_yaml());
        let settings = Settings::compile(1, business, &common).unwrap();
        let flows: Vec<usize> = settings.tenants.values().map(|t| t.library.flows.len()).collect();
        assert_eq!(flows, [1, 0]);
        let wrong = Business::parse(&BUSINESS.replace("then: z", "then: y").replace("start: a", "stort: a")).unwrap();
        let bad = Settings::compile(1, wrong, &common).unwrap_err();
        assert!(bad.iter().any(|b| b.starts_with("tenants.demo.flows.front:4:1: ") && b.contains("stort")), "{bad:?}");
        let renamed = Business::parse(&BUSINESS.replace("flow: front\n", "flow: back\n")).unwrap();
        assert!(Settings::compile(1, renamed, &common).unwrap_err()[0].contains("that of a flow `back`"));
        let mute = Business::parse(&BUSINESS.replace("Thank you, {customer}.", " ")).unwrap();
        assert!(mute.problems()[0].contains("canned.thanks.text"));
    }
}
