//! The business every world is opened with: one tenant, a few queues and people, one flow that has everything in it.

use std::{collections::BTreeMap, sync::Arc};

use crate::{
    base::{FlowId, TenantId, limits},
    center::settings::Business,
    ivr,
};

/// The tenant.
pub const TENANT: &str = "demo";
/// Its SIP domain and realm.
pub const DOMAIN: &str = "demo.example";
/// Where its carrier is.
pub const CARRIER: &str = "10.9.9.9";

/// What the administrator wrote.
pub const BUSINESS: &str = r#"
tenants:
  demo:
    name: Demo shop
    domains: [demo.example]
    country: "32"
    trunk_prefix: "0"
    language: en-US
    trunks:
      carrier: {host: 10.9.9.9, caller_id: "+3228880000"}
    routes:
      - {match: "4000", to: {flow: main}, from: public}
      - {match: "4001", to: {queue: support}, from: public}
      - {match: "4002", to: {queue: sales}, from: public}
      - {match: "4003", to: {queue: team}, from: public}
      - {match: "4009", to: {flow: broken}, from: public}
      - {match: "4101", to: {agent: anna}, from: public}
      - {match: "+*", to: {trunk: {trunk: carrier}}}
    chat: {flow: main, idle_warn_s: 120, idle_close_s: 300, gone_s: 60, files: {kinds: [picture, document], per_chat: 2}, rating: {scale: five}, widget: {ask: {fields: [{key: order_no, need: required}]}}}
    recording: always
    streams:
      notes: {url: "wss://notes.example/calls", rate: 16000}
      asr: {url: "wss://asr.example/calls"}
    routing:
      skills: {linux: {}, english: {}}
      dispositions: {solved: {}, callback: {}}
      reasons: {lunch: {}}
      queues:
        support: {strategy: best_skilled, ring_s: 15, wrap_up_s: 10, music: calm, max_wait_s: 300}
        sales: {strategy: longest_idle, ring_s: 15, wrap_up_s: 10}
        team: {strategy: ring_all, ring_s: 15, wrap_up_s: 0, hold_max_s: 20}
      agents:
        anna: {name: Anna, skills: {linux: 5, english: 5}, queues: [support, sales, team]}
        ben: {name: Ben, skills: {linux: 2}, queues: [support, sales, team]}
        carl: {name: Carl, queues: [sales, team]}
        dora: {name: Dora, queues: [sales]}
"#;

/// The flow: greeting, a question, queues, a message, good-bye.
pub const MAIN: &str = r#"
flow: main
schema: 1
channels: [voice, webchat]
languages: [en-US]
start: greeting
inputs:
  call.ani: {type: string, from: channel}
vars:
  choice: {type: string}
prompts:
  hello: {en-US: {say: "Welcome to the demo shop."}}
  menu: {en-US: {say: "Support press one, sales press two, leave a message press three, outside press four."}}
  wait: {en-US: {say: "You are number {queue.position}."}}
  leave: {en-US: {say: "Speak after the beep."}}
  bye: {en-US: {say: "Good bye."}}
grammars:
  choice:
    dtmf: {"1": support, "2": sales, "3": message, "4": outside}
    phrases: {support: [support], sales: [sales], message: [message], outside: [outside]}
    labels: {support: {en-US: Support}, sales: {en-US: Sales}}
nodes:
  greeting: {say: [hello], then: menu}
  menu:
    gather: {prompt: [menu], grammar: choice, save: choice, timeout: 5s, retries: 1}
    when: {support: support, sales: sales, message: message, outside: outside}
    exhausted: support
    on_error: support
  support:
    queue:
      queue: support
      skills: [{skill: linux, min: 2}]
      announce: {prompt: [wait], first_after: 10s, every: 30s}
      exits: {"9": message}
      record: always
    when: {answered: bye, timeout: message, no_agents: message, full: message}
    on_error: message
  sales:
    queue: {queue: sales}
    when: {answered: bye, timeout: message, no_agents: message, full: message}
    on_error: message
  message:
    voicemail: {prompt: [leave], max: 30s, ticket: {queue: support, title: "Message from {call.ani}"}}
    then: bye
    on_error: bye
  outside:
    transfer: {number: "+3226660000", timeout: 30s}
    when: {answered: bye, no_answer: sales, busy: sales, failed: sales}
    on_error: sales
  bye: {say: [bye], then: end}
  end: {hangup: }
"#;

/// A flow that runs in circles until it is stopped.
pub const BROKEN: &str = r#"
flow: broken
schema: 1
languages: [en-US]
start: one
vars: {n: {type: number, default: 0}}
nodes:
  one: {set: {n: "n + 1"}, then: two}
  two: {set: {n: "n + 1"}, then: one}
"#;

/// The shop whose flows lie in `ivr-flows/`.
pub const SHOP: &str = r#"
tenants:
  demo:
    name: Shop
    domains: [demo.example]
    country: "86"
    trunk_prefix: "0"
    language: zh-CN
    routes: [{match: "4000", to: {flow: main}, from: public}]
    chat: {flow: main, idle_close_s: 300, gone_s: 60}
    slas: {voicemail_4h: {first_reply_min: 240, calendar: shop}}
    routing:
      skills: {lang-zh: {}, lang-en: {}, orders: {}, returns: {}, complaints: {}, sales: {}}
      calendars:
        shop: {zone: Asia/Shanghai, weekly: {mon: ["09:00-18:00"], tue: ["09:00-18:00"]}}
      dispositions: {solved: {}}
      reasons: {lunch: {}}
      queues:
        support: {strategy: best_skilled, ring_s: 15, wrap_up_s: 10, relax: [{after_s: 60, to: 0}]}
        sales: {ring_s: 15, wrap_up_s: 10, join_empty: signed_in}
      agents:
        anna: {skills: {lang-en: 4, orders: 3, complaints: 4}, queues: [support]}
        li: {skills: {lang-zh: 5, orders: 5, complaints: 2}, queues: [support]}
"#;

/// What a world is opened with.
#[derive(Debug)]
pub struct Opening {
    /// The business.
    pub business: Business,
    /// Its flows.
    pub flows: Flows,
    /// Customers kept in memory of those nobody has to do with.
    pub kept: usize,
}

/// Flows by id.
pub type Flows = BTreeMap<FlowId, Arc<ivr::Flow>>;

impl Opening {
    /// The usual business.
    pub fn usual() -> Opening {
        Opening {
            business: parsed(BUSINESS),
            flows: flows(&[("main.yaml", MAIN), ("broken.yaml", BROKEN)]),
            kept: limits::CUSTOMERS_KEPT,
        }
    }
    /// The shop.
    pub fn shop() -> Opening {
        let files = [
            ("main.yaml", include_str!("../../ivr-flows/main.yaml")),
            ("order-status.yaml", include_str!("../../ivr-flows/order-status.yaml")),
        ];
        Opening { business: parsed(SHOP), flows: flows(&files), kept: limits::CUSTOMERS_KEPT }
    }
}

/// The tenant's id.
pub fn tenant() -> TenantId {
    TenantId::parse(TENANT).expect("a plain word")
}

fn parsed(yaml: &str) -> Business {
    Business::parse(yaml).expect("the businesses of the simulator are well written")
}

pub(super) fn flows(files: &[(&str, &str)]) -> Flows {
    let read = |(file, text): &(&str, &str)| {
        let flow = ivr::Flow::parse(file, text).expect("the flows of the house are well written");
        (flow.id.clone(), Arc::new(flow))
    };
    files.iter().map(read).collect()
}
