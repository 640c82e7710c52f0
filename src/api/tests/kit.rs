//! A small house for tests: the real router and store on a port of the system's choice, and a center that knows just enough.
//!
//! Also used by the web chat's tests, by path: the two rooms do not know each other.
#![allow(dead_code, reason = "two suites use it, each a part")]

use std::{
    collections::{BTreeMap, BTreeSet},
    net::SocketAddr,
    sync::{Arc, Mutex},
    time::Duration,
};

use axum::Router;
use futures_util::{SinkExt, StreamExt};
use serde_json::Value;
use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::{TcpListener, TcpStream},
    sync::{Notify, broadcast},
    time::timeout,
};
use tokio_tungstenite::{MaybeTlsStream, WebSocketStream, tungstenite};

use crate::{
    base::{
        AgentId, Channel, CustomerId, FlowId, InteractionId, MessageId, Mono, Now, Rng, TenantId, TicketId, VisitorId, Wall,
    },
    call::Cause,
    center::{
        command::{Actor, Command, Done, Refusal, RefusalCode},
        door::{Door, Pending},
        fact::{EndedBy, Fact, Record, Way},
        settings::{Business, Settings},
        view::{Blink, TenantView},
    },
    sip::auth::{Grant, Revoke},
    store::{Journal, JournalHandle, Store},
    text,
};

/// Nothing in a test waits longer.
pub const PATIENCE: Duration = Duration::from_secs(20);

const BUSINESS: &str = r#"
tenants:
  demo:
    name: Demo Shop
    chat: {origins: ["https://shop.example"], widget: {color: '#7a1fa2', ask: {fields: [{key: order_no}]}}, call_me: {queue: sales, consent: {en: "Yes, call me."}}, talk_now: {to: {flow: demo-agent}, max_min: 20}}
    canned: {thanks: {name: Thanks, text: "Thank you, {customer}."}}
    flows:
      demo-agent: |
        flow: demo-agent
        schema: 1
        languages: [en-US]
        start: a
        prompts:
          hi: {en-US: {say: Hello.}}
        nodes:
          a: {say: [hi], then: q, on_error: {goto: q}}
          q: {queue: {queue: sales}, when: {answered: z, timeout: z, no_agents: z, full: z}, on_error: {goto: z}}
          z: {hangup: {}}
    callback_hours: {sales: {calendar: always, every_min: 60}}
    routing:
      calendars: {always: {zone: UTC, weekly: {mon: ["00:00-24:00"], tue: ["00:00-24:00"], wed: ["00:00-24:00"], thu: ["00:00-24:00"], fri: ["00:00-24:00"], sat: ["00:00-24:00"], sun: ["00:00-24:00"]}}}
      queues: {sales: {name: Sales}}
      agents: {anna: {name: Anna}, ben: {name: Ben}, sue: {name: Sue}}
      reasons: {lunch: {name: Lunch}}
      dispositions: {sold: {name: Sold}}
  other:
    name: Other House
    security: {second_factor: [supervisor]}
    routing:
      agents: {oscar: {name: Oscar}}
"#;

pub fn tenant(id: &str) -> TenantId {
    TenantId::parse(id).unwrap()
}
pub fn agent(id: &str) -> AgentId {
    AgentId::parse(id).unwrap()
}

/// A center that opens chats, keeps their messages apart by client id, refuses what is not of the tenant, and notes the rest.
pub struct SmallCenter {
    pub now: Mutex<Now>,
    pub views: Mutex<BTreeMap<TenantId, Arc<TenantView>>>,
    pub asked: Mutex<Vec<(TenantId, Actor, Command)>>,
    pub asked_more: Notify,
    pub phones: Mutex<Vec<Grant>>,
    known: Mutex<Known>,
    pub settings: Arc<Settings>,
    journal: JournalHandle,
}

#[derive(Default)]
struct Known {
    seq: u64,
    things: BTreeSet<(TenantId, String)>,
    chats: BTreeMap<VisitorId, InteractionId>,
    said: BTreeMap<InteractionId, Vec<(String, MessageId)>>,
    /// Messages wait here instead of being committed, while a test holds the journal.
    held: Option<Vec<Record>>,
    rng: Option<Rng>,
}

impl SmallCenter {
    pub fn at(&self) -> Now {
        *self.now.lock().unwrap()
    }
    pub fn pass(&self, d: Duration) {
        let mut now = self.now.lock().unwrap();
        *now = now.later(d);
    }
    /// Makes a fact happen; its number.
    pub fn happens(&self, of: &str, fact: Fact) -> u64 {
        let mut known = self.known.lock().unwrap();
        self.commit(&mut known, &tenant(of), fact)
    }
    fn commit(&self, known: &mut Known, of: &TenantId, fact: Fact) -> u64 {
        known.seq += 1;
        let record = Record { seq: known.seq, at: self.at().wall, tenant: of.clone(), cause: None, fact };
        match &mut known.held {
            Some(held) => held.push(record),
            None => self.journal.append(vec![record]).unwrap(),
        }
        known.seq
    }
    /// From now on nothing is committed ..
    pub fn hold_journal(&self) {
        self.known.lock().unwrap().held = Some(Vec::new());
    }
    /// .. until now.
    pub fn release_journal(&self) {
        let held = self.known.lock().unwrap().held.take().unwrap();
        self.journal.append(held).unwrap();
    }
    /// Says that a thing belongs to a tenant, so that commands about it are taken.
    pub fn knows(&self, of: &str, thing: impl ToString) {
        self.known.lock().unwrap().things.insert((tenant(of), thing.to_string()));
    }
    /// The text of a flow the tenant has published.
    pub fn flow_text(&self, of: &str, name: &str) -> String {
        self.settings.tenants[&tenant(of)].config.flows[&FlowId::parse(name).unwrap()].clone()
    }
    pub fn shows(&self, of: &str, change: impl FnOnce(&mut TenantView)) {
        let mut views = self.views.lock().unwrap();
        let mut view = views.get(&tenant(of)).map(|v| TenantView::clone(v)).unwrap_or_default();
        view.seq = self.known.lock().unwrap().seq;
        view.at = self.at().wall;
        change(&mut view);
        views.insert(tenant(of), Arc::new(view));
    }
    /// Says something in a chat from our side.
    pub fn writes(&self, of: &str, interaction: InteractionId, sender: text::Sender, words: &str) -> u64 {
        let mut known = self.known.lock().unwrap();
        self.message(&mut known, &tenant(of), interaction, sender, None, words, None)
    }
    #[expect(clippy::too_many_arguments, reason = "the fields of one message")]
    fn message(
        &self,
        known: &mut Known,
        of: &TenantId,
        interaction: InteractionId,
        sender: text::Sender,
        client_id: Option<&str>,
        words: &str,
        file: Option<text::file::File>,
    ) -> u64 {
        let id = MessageId::new(self.at(), known.rng.get_or_insert_with(|| Rng::seeded(9)));
        let said = known.said.entry(interaction).or_default();
        said.push((client_id.unwrap_or("-").to_owned(), id));
        let seq = said.len() as u64;
        let client_id = client_id.map(|c| text::ClientId::parse(c).unwrap());
        let message =
            text::Message { id, seq, sender, client_id, text: words.into(), options: Vec::new(), file, at: self.at().wall };
        self.commit(known, of, Fact::Message { interaction, message });
        seq
    }
    pub fn closes(&self, of: &str, interaction: InteractionId) {
        let mut known = self.known.lock().unwrap();
        known.chats.retain(|_, i| *i != interaction);
        self.commit(&mut known, &tenant(of), closed(interaction));
    }

    fn decide(&self, of: &TenantId, by: &Actor, command: Command) -> Result<Done, Refusal> {
        let mut known = self.known.lock().unwrap();
        let thing = |t: String| -> Result<(), Refusal> {
            if known.things.contains(&(of.clone(), t.clone())) { Ok(()) } else { Err(Refusal::not_found(t)) }
        };
        match command {
            Command::ChatOpen { visitor, name, .. } => {
                if let Some(interaction) = known.chats.get(&visitor) {
                    return Ok(Done::Interaction { interaction: *interaction });
                }
                let rng = known.rng.get_or_insert_with(|| Rng::seeded(9));
                let (interaction, customer) = (InteractionId::new(self.at(), rng), CustomerId::new(self.at(), rng));
                known.chats.insert(visitor, interaction);
                known.things.insert((of.clone(), interaction.to_string()));
                self.commit(&mut known, of, opened(interaction, customer, &name, Some(visitor)));
                Ok(Done::Interaction { interaction })
            }
            Command::Say { .. } | Command::Send { .. } => {
                let (interaction, client_id, body, file) = match command {
                    Command::Send { interaction, client_id, body, file } => (interaction, client_id, body, Some(file)),
                    Command::Say { interaction, client_id, body } => (interaction, client_id, body, None),
                    _ => unreachable!("only these two come here"),
                };
                thing(interaction.to_string())?;
                let said = known.said.get(&interaction).and_then(|s| s.iter().position(|(c, _)| *c == client_id));
                let sender = match by {
                    Actor::User { user, .. } => text::Sender::Agent(user.clone()),
                    _ => text::Sender::Visitor,
                };
                let seq = match said {
                    Some(at) => at as u64 + 1,
                    None => self.message(&mut known, of, interaction, sender, Some(&client_id), &body, file),
                };
                let message = known.said[&interaction][seq as usize - 1].1;
                Ok(Done::Message { message, seq })
            }
            Command::Rate { interaction, score, comment } => {
                thing(interaction.to_string())?;
                self.commit(&mut known, of, Fact::Rated { interaction, by: by.clone(), score, best: 5, comment });
                Ok(Done::Ok)
            }
            Command::Leave { .. } => Ok(Done::Ticket { ticket: TicketId::new(self.at(), &mut Rng::seeded(4)) }),
            Command::CallMe { .. } => Ok(Done::Interaction { interaction: InteractionId::new(self.at(), &mut Rng::seeded(5)) }),
            Command::Finish { interaction } if matches!(by, Actor::Visitor { .. }) => {
                thing(interaction.to_string())?;
                known.chats.retain(|_, i| *i != interaction);
                self.commit(&mut known, of, closed(interaction));
                Ok(Done::Ok)
            }
            Command::AlertAck { queue, metric } => thing(format!("{queue}/{}", metric.as_str())).map(|()| Done::Ok),
            Command::Accept { offer } | Command::Decline { offer } => thing(offer.to_string()).map(|()| Done::Ok),
            Command::Ticket { ticket, .. } | Command::Viewing { ticket, .. } => thing(ticket.to_string()).map(|()| Done::Ok),
            Command::Customer { customer, .. } => thing(customer.to_string()).map(|()| Done::Ok),
            Command::TicketOpen { .. } => Ok(Done::Ticket { ticket: TicketId::new(self.at(), &mut Rng::seeded(3)) }),
            Command::Finish { interaction }
            | Command::Hold { interaction, .. }
            | Command::Transfer { interaction, .. }
            | Command::RecordPause { interaction, .. }
            | Command::Stream { interaction, .. }
            | Command::Dispose { interaction, .. }
            | Command::WrapUpDone { interaction, .. }
            | Command::ExtendWrapUp { interaction, .. }
            | Command::SetPriority { interaction, .. }
            | Command::Assign { interaction, .. }
            | Command::Pull { interaction, .. }
            | Command::Supervise { interaction, .. }
            | Command::SuperviseEnd { interaction, .. }
            | Command::TakeOver { interaction, .. }
            | Command::Consult { interaction, .. }
            | Command::ConsultStep { interaction, .. }
            | Command::Keys { interaction, .. }
            | Command::Mute { interaction, .. }
            | Command::ChatPresence { interaction, .. }
            | Command::Whisper { interaction, .. }
            | Command::Read { interaction, .. }
            | Command::Typing { interaction } => thing(interaction.to_string()).map(|()| Done::Ok),
            Command::Dial { number, .. } if number == "0" => Err(Refusal::new(RefusalCode::Invalid, "0 leads nowhere")),
            Command::TalkNow { .. }
            | Command::SignIn { .. }
            | Command::SignOut { .. }
            | Command::SetState { .. }
            | Command::Console { .. }
            | Command::Endpoint { .. }
            | Command::Dial { .. } => Ok(Done::Ok),
            #[allow(unreachable_patterns, reason = "commands to come")]
            _ => Ok(Done::Ok),
        }
    }

    /// Waits until a command like this was asked.
    pub async fn is_asked(&self, like: impl Fn(&Command) -> bool) -> (Actor, Command) {
        let found = async {
            loop {
                let more = self.asked_more.notified();
                if let Some((_, by, c)) = self.asked.lock().unwrap().iter().find(|(_, _, c)| like(c)) {
                    return (by.clone(), c.clone());
                }
                more.await;
            }
        };
        timeout(PATIENCE, found).await.expect("the command is asked in time")
    }
    pub fn times_asked(&self, like: impl Fn(&Command) -> bool) -> usize {
        self.asked.lock().unwrap().iter().filter(|(_, _, c)| like(c)).count()
    }
}

pub fn opened(interaction: InteractionId, customer: CustomerId, from: &str, visitor: Option<VisitorId>) -> Fact {
    let channel = if visitor.is_some() { Channel::Webchat } else { Channel::Voice };
    let (way, to) = (Way::Inbound, "4000".to_owned());
    Fact::InteractionOpened { interaction, channel, way, to, from: from.into(), customer, ticket: None, visitor, verdict: None }
}
pub fn closed(interaction: InteractionId) -> Fact {
    Fact::InteractionClosed { interaction, cause: Cause::CallerGaveUp, by: EndedBy::Customer }
}

struct DoorOf(Arc<SmallCenter>);

impl Door for DoorOf {
    fn command(&self, tenant: TenantId, by: Actor, command: Command) -> Pending<Result<Done, Refusal>> {
        let done = self.0.decide(&tenant, &by, command.clone());
        self.0.asked.lock().unwrap().push((tenant, by, command));
        self.0.asked_more.notify_waiters();
        Box::pin(async move { done })
    }
    fn view(&self, tenant: &TenantId) -> Option<Arc<TenantView>> {
        self.0.views.lock().unwrap().get(tenant).cloned()
    }
    fn settings(&self) -> Arc<Settings> {
        self.0.settings.clone()
    }
    fn apply(&self, _: Actor, yaml: String, _: bool) -> Pending<Result<String, Vec<String>>> {
        Box::pin(async move { Business::parse(&yaml).map(|_| String::new()).map_err(|e| vec![e]) })
    }
    fn grant_phone(&self, grant: Grant) {
        self.0.phones.lock().unwrap().push(grant);
    }
    fn revoke_phones(&self, which: Revoke) {
        self.0.phones.lock().unwrap().retain(|g| match &which {
            Revoke::Session(session) => g.session != *session,
            Revoke::User { user, .. } => g.user != *user,
            Revoke::Login { username, .. } => g.username != *username,
        });
    }
    fn now(&self) -> Now {
        self.0.at()
    }
}

pub struct House {
    pub addr: SocketAddr,
    pub store: Store,
    pub center: Arc<SmallCenter>,
    pub facts: broadcast::Sender<Arc<[Record]>>,
    pub blinks: broadcast::Sender<(TenantId, Blink)>,
    pub logins: Arc<Notify>,
    pub dir: tempfile::TempDir,
    _journal: Journal,
}

/// What a router is made from.
pub struct Ground {
    pub door: Arc<dyn Door>,
    pub store: Store,
    pub facts: broadcast::Sender<Arc<[Record]>>,
    pub blinks: broadcast::Receiver<(TenantId, Blink)>,
    pub logins: Arc<Notify>,
    pub recordings: std::path::PathBuf,
    pub vault: Arc<crate::vault::Vault>,
}

impl House {
    /// A house whose broadcast of facts holds `capacity` groups.
    pub async fn build(capacity: usize, router: impl FnOnce(Ground) -> Router) -> House {
        let dir = tempfile::tempdir().unwrap();
        let store = Store::open(dir.path().join("house.db").to_str().unwrap()).await.unwrap();
        let facts = broadcast::Sender::new(capacity);
        let (blinks, first_blink) = broadcast::channel(64);
        let publish = facts.clone();
        let journal = Journal::start(store.clone(), move |group| {
            let _ = publish.send(group); // nobody listens yet, or any more
        });
        let mut settings = Settings::compile(1, Business::parse(BUSINESS).unwrap(), &BTreeMap::new()).unwrap();
        let demo = settings.tenants.get_mut(&tenant("demo")).unwrap();
        let chat = &mut Arc::get_mut(demo).unwrap().config.chat;
        (chat.flow, chat.rating) = (Some(FlowId::parse("main").unwrap()), Some(Default::default()));
        let center = Arc::new(SmallCenter {
            now: Mutex::new(Now { mono: Mono(1), wall: Wall::from_unix_s(1_795_406_706) }),
            views: Mutex::default(),
            asked: Mutex::default(),
            asked_more: Notify::new(),
            phones: Mutex::default(),
            known: Mutex::default(),
            settings: Arc::new(settings),
            journal: journal.handle(),
        });
        let recordings = dir.path().join("recordings");
        std::fs::create_dir_all(&recordings).unwrap();
        let logins = Arc::new(Notify::new());
        let ground = Ground {
            door: Arc::new(DoorOf(center.clone())),
            store: store.clone(),
            facts: facts.clone(),
            blinks: first_blink,
            logins: logins.clone(),
            recordings,
            vault: Arc::new(crate::vault::Vault::new(dir.path().join("files"))),
        };
        let app = router(ground).into_make_service_with_connect_info::<SocketAddr>();
        let listener = TcpListener::bind("127.0.0.1:0").await.unwrap();
        let addr = listener.local_addr().unwrap();
        tokio::spawn(async move { axum::serve(listener, app).await });
        House { addr, store, center, facts, blinks, logins, dir, _journal: journal }
    }

    /// Waits until everything that happened is committed.
    pub async fn settled(&self) {
        let want = self.center.known.lock().unwrap().seq;
        let reached = async {
            while self.store.last_seq().await.unwrap() < want {
                tokio::task::yield_now().await;
            }
        };
        timeout(PATIENCE, reached).await.expect("the journal commits in time");
    }

    /// One request on a connection of its own.
    pub async fn ask(&self, method: &str, path: &str, headers: &[(&str, &str)], body: Option<&str>) -> Answer {
        let mut text = format!("{method} {path} HTTP/1.1\r\nhost: {}\r\nconnection: close\r\n", self.addr);
        for (name, value) in headers {
            text.push_str(&format!("{name}: {value}\r\n"));
        }
        if let Some(body) = body {
            text.push_str(&format!("content-length: {}\r\n", body.len()));
            if !headers.iter().any(|(n, _)| *n == "content-type") {
                text.push_str("content-type: application/json\r\n");
            }
        }
        text.push_str("\r\n");
        text.push_str(body.unwrap_or_default());
        let mut stream = TcpStream::connect(self.addr).await.unwrap();
        stream.write_all(text.as_bytes()).await.unwrap();
        let mut raw = Vec::new();
        let read = timeout(PATIENCE, stream.read_to_end(&mut raw)).await.expect("an answer in time");
        // A peer that answers before it has read our whole body may reset the connection: what came counts.
        if let Err(e) = read {
            assert!(!raw.is_empty(), "{e}");
        }
        Answer::read(&raw)
    }

    /// A WebSocket; the refusal's status if there is none.
    pub async fn socket(&self, path: &str, headers: &[(&str, &str)]) -> Result<Socket, u16> {
        use tungstenite::client::IntoClientRequest;
        let mut request = format!("ws://{}{path}", self.addr).into_client_request().unwrap();
        for (name, value) in headers {
            let name = tungstenite::http::HeaderName::from_bytes(name.as_bytes()).unwrap();
            request.headers_mut().insert(name, value.parse().unwrap());
        }
        match timeout(PATIENCE, tokio_tungstenite::connect_async(request)).await.expect("a handshake in time") {
            Ok((inner, _)) => Ok(Socket { inner }),
            Err(tungstenite::Error::Http(answer)) => Err(answer.status().as_u16()),
            Err(e) => panic!("{e}"),
        }
    }
}

pub struct Answer {
    pub status: u16,
    pub headers: Vec<(String, String)>,
    pub body: Vec<u8>,
}

impl Answer {
    fn read(raw: &[u8]) -> Answer {
        let end = raw.windows(4).position(|w| w == b"\r\n\r\n").expect("an answer has headers");
        let head = std::str::from_utf8(&raw[..end]).unwrap();
        let mut lines = head.split("\r\n");
        let status = lines.next().unwrap().split(' ').nth(1).unwrap().parse().unwrap();
        let headers: Vec<(String, String)> =
            lines.filter_map(|l| l.split_once(": ")).map(|(n, v)| (n.to_lowercase(), v.to_owned())).collect();
        let body = &raw[end + 4..];
        let chunked = headers.iter().any(|(n, v)| n == "transfer-encoding" && v == "chunked");
        Answer { status, body: if chunked { Answer::unchunked(body) } else { body.to_vec() }, headers }
    }

    /// What is streamed comes in pieces, each after its length (RFC 9112 section 7.1).
    fn unchunked(mut rest: &[u8]) -> Vec<u8> {
        let mut body = Vec::new();
        loop {
            let end = rest.windows(2).position(|w| w == b"\r\n").expect("a piece begins with its length");
            let length = usize::from_str_radix(std::str::from_utf8(&rest[..end]).unwrap(), 16).unwrap();
            if length == 0 {
                return body;
            }
            let from = end + 2;
            body.extend_from_slice(&rest[from..from + length]);
            rest = &rest[from + length + 2..];
        }
    }
    pub fn header(&self, name: &str) -> &str {
        self.headers.iter().find(|(n, _)| n == name).map_or("", |(_, v)| v)
    }
    pub fn text(&self) -> String {
        String::from_utf8_lossy(&self.body).into_owned()
    }
    pub fn json(&self) -> Value {
        serde_json::from_slice(&self.body).unwrap_or_else(|e| panic!("{e}: {}", self.text()))
    }
    pub fn code(&self) -> String {
        self.json()["code"].as_str().unwrap_or_default().to_owned()
    }
}

pub struct Socket {
    inner: WebSocketStream<MaybeTlsStream<TcpStream>>,
}

impl Socket {
    pub async fn say(&mut self, frame: Value) {
        self.inner.send(tungstenite::Message::text(frame.to_string())).await.unwrap();
    }
    /// The next frame; the close code when it closes.
    pub async fn next(&mut self) -> Result<Value, u16> {
        loop {
            let frame = timeout(PATIENCE, self.inner.next()).await.expect("a frame in time");
            match frame {
                Some(Ok(tungstenite::Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
                Some(Ok(tungstenite::Message::Close(frame))) => return Err(frame.map_or(1005, |f| f.code.into())),
                Some(Ok(_)) => {}
                Some(Err(_)) | None => return Err(1006),
            }
        }
    }
    /// The next frame of this type; others are passed over.
    pub async fn until(&mut self, kind: &str) -> Value {
        loop {
            let frame = self.next().await.unwrap_or_else(|code| panic!("closed with {code} while waiting for {kind}"));
            if frame["type"] == kind {
                return frame;
            }
        }
    }
    /// Everything up to and including the first frame of this type.
    pub async fn all_until(&mut self, kind: &str) -> Vec<Value> {
        let mut seen = Vec::new();
        loop {
            let frame = self.next().await.unwrap_or_else(|code| panic!("closed with {code} while waiting for {kind}"));
            let last = frame["type"] == kind;
            seen.push(frame);
            if last {
                return seen;
            }
        }
    }
    pub async fn closed(&mut self) -> u16 {
        loop {
            if let Err(code) = self.next().await {
                return code;
            }
        }
    }
}
