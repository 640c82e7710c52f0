//! The door inside: a message is judged, matched to its transaction, and handed on if it is new.

use std::sync::Arc;

use super::{
    Output, Stack,
    build::{self, reply_flow},
    tx::{ClientInput, ServerInput},
};
use crate::{
    base::{Now, limits::SIP_TRANSACTIONS_MAX},
    sip::{
        msg::{
            Message, Method, Name, ParseError,
            check::{Verdict, check},
        },
        transaction::{
            Class,
            matching::{ClientKey, ServerKey},
        },
        transport::Source,
    },
};

impl Stack {
    /// Garbage that could be read far enough to be answered gets its 400, statelessly.
    pub(super) fn malformed(&mut self, error: &ParseError, source: Source, out: &mut Vec<Output>) {
        self.counters.malformed += 1;
        let Some((mut answer, to)) = error.answer(source.remote) else { return };
        let tag = self.rng.hex(8);
        answer.set_to_tag(&tag);
        let mut flow = source;
        if !source.transport.is_reliable() {
            flow.remote = to;
        }
        out.push(Output::Send { flow, bytes: answer.write() });
    }

    pub(super) fn received(&mut self, now: Now, mut m: Message, source: Source, out: &mut Vec<Output>) {
        if !m.is_request() {
            return self.received_response(now, m, out);
        }
        self.counters.requests += 1;
        let verdict = check(&m);
        let Ok(mut via) = m.top_via() else {
            // No way back that could be trusted; say it where it came from, once.
            if let Verdict::Refuse { code, reason } = verdict {
                let tag = self.rng.hex(8);
                let answer = self.reply(&m, code, reason, &tag);
                out.push(Output::Send { flow: source, bytes: answer.write() });
            }
            return;
        };
        let reply = reply_flow(&via, &source);
        via.stamp(source.remote);
        let key = ServerKey::of_request(&m);
        m.set_top_via(&via);
        let key = match (verdict, key) {
            (Verdict::Good, Ok(key)) => key,
            (Verdict::Drop(_), _) => {
                self.counters.malformed += 1;
                return;
            }
            (Verdict::Refuse { code, reason }, _) => {
                self.counters.malformed += 1;
                return self.answer_once(&m, code, reason, reply, out);
            }
            (Verdict::Good, Err(_)) => return self.answer_once(&m, 400, "", reply, out),
        };
        let known = self.server_index.get(&key).copied();
        match (m.method(), known) {
            (Some(Method::Ack), _) => {
                if let Some(id) = known {
                    self.feed_server(now, id, ServerInput::Ack, out);
                }
                self.acked(now, &m, out);
            }
            (_, Some(id)) => self.feed_server(now, id, ServerInput::Again, out),
            (_, None) if self.servers.len() >= SIP_TRANSACTIONS_MAX => {
                self.counters.overload += 1;
                let mut answer = self.reply(&m, 503, "", "");
                answer.headers.push(Name::RetryAfter, 5);
                out.push(Output::Send { flow: reply, bytes: answer.write() });
            }
            (_, None) if !self.passes(now, &m, &source) => {}
            (_, None) if self.turned_away(&m, &source, reply, out) => {}
            (_, None) => self.new_request(now, key, m, source, reply, out),
        }
    }

    fn answer_once(&mut self, m: &Message, code: u16, reason: &str, reply: crate::sip::transport::Flow, out: &mut Vec<Output>) {
        let tag = self.rng.hex(8);
        let answer = self.reply(m, code, reason, &tag);
        out.push(Output::Send { flow: reply, bytes: answer.write() });
    }

    fn new_request(
        &mut self,
        now: Now,
        key: ServerKey,
        m: Message,
        source: Source,
        reply: crate::sip::transport::Flow,
        out: &mut Vec<Output>,
    ) {
        // 8.2.2.2: the same request by another way is a loop in the network, not a second call.
        let merged = build::merge_key(&m).is_some_and(|k| self.merged.contains_key(&k));
        let method = m.method().cloned();
        let id = self.open_server(key, m, source, reply);
        let Some(m) = self.shared(id) else { return };
        match method {
            Some(Method::Cancel) => self.cancelled(now, id, &m, out),
            _ if m.to_tag().is_some() && method != Some(Method::Register) => self.mid_call(now, id, &m, source, out),
            _ if merged => self.refuse(now, id, 482, "", out),
            _ => self.out_of_dialog(now, id, &m, source, out),
        }
    }

    fn received_response(&mut self, now: Now, m: Message, out: &mut Vec<Output>) {
        self.counters.responses += 1;
        if !matches!(check(&m), Verdict::Good) {
            self.counters.malformed += 1;
            return;
        }
        let id = ClientKey::of_response(&m).ok().and_then(|k| self.client_index.get(&k).copied());
        // A response with more than one Via is somebody else's (8.1.3.3).
        let Some(id) = id.filter(|_| m.vias().is_ok_and(|v| v.len() == 1)) else {
            self.counters.stray += 1;
            return;
        };
        let class = Class::of(m.code().unwrap_or(0));
        let m = Arc::new(m);
        self.feed_client(now, id, ClientInput::Response(class), Some(&m), out);
        // A CANCEL that was wanted before the first provisional response goes now (9.1).
        if class == Class::Provisional {
            self.try_cancel(now, id, out);
        }
    }
}
