//! All of it put together: the store is opened and replayed, the edges start, the loop runs.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, RwLock, atomic::AtomicU64},
    time::Duration,
};

use anyhow::{Context, Result, anyhow};
use media::EngineConfig;
use tokio::sync::{broadcast, watch};

use super::{
    ask::Asker,
    business::{Business, Here, outward_ip, public_host},
    carrier,
    clock::Clock,
    config::{Config, Spoken},
    demo::{self, DemoCredentials},
    driver::{self, Driver, Edges, Inbox, Shown, Wake},
    ears::Ears,
    flows,
    front::Front,
    keeper,
    ladder::Ladders,
    metrics::Sources,
    recall::Recaller,
    reports, retention, secure,
    streams::Streams,
    vouch::Verifier,
};
use crate::{
    api,
    base::{Acl, Now, RecordingId, Rng, limits, redact::Secret},
    call::{self, Calls, MediaAddrs},
    center::{Center, Config as CenterConfig, Input, door::Door, memory::Memory, recover::Repaired, settings::Settings},
    channels::webchat,
    net::{Dns, Doors, Net, NetConfig, Tls},
    sip::{gate::Rules, locate::Reach, stack::Listener, transport::Transport},
    speech::{Engine as Speech, TextToSpeech, recognise::Pool},
    store::{Journal, Store},
    studio::{EventSink, Library, Studio, StudioConfig, Voice},
    vault::Vault,
};

/// Blinks a slow socket may be behind before it misses some; they are lossy by nature.
const BLINKS_BEHIND_MAX: usize = 1_024;
/// Ports looked at for one that is free for UDP and TCP.
const FREE_PORT_TRIES: usize = 32;
/// How long the journal may take to write its last facts.
const FLUSH_PATIENCE: Duration = Duration::from_secs(10);

/// A server that runs.
pub struct Running {
    /// The SIP addresses, UDP then TCP.
    pub sip: Vec<SocketAddr>,
    /// The HTTP address.
    pub http: SocketAddr,
    /// The address of SIP over TLS, when there is one.
    pub sip_tls: Option<SocketAddr>,
    /// The address of https, when there is one.
    pub https: Option<SocketAddr>,
    /// Made just now, if the demo was asked for and the store was empty.
    pub credentials: Option<DemoCredentials>,
    /// Facts replayed.
    pub replayed: u64,
    inbox: Inbox,
    loop_thread: Option<std::thread::JoinHandle<()>>,
    journal: Journal,
    web: tokio::task::JoinHandle<std::io::Result<()>>,
    /// What ends when this is dropped.
    edges: tokio::task::JoinSet<()>,
    watch: tokio::task::JoinHandle<()>,
    ladders: tokio::task::JoinHandle<()>,
    store: Store,
    studio: Studio,
    engine: Arc<media::Engine>,
    recognisers: Option<Pool>,
}

impl std::fmt::Debug for Running {
    fn fmt(&self, f: &mut std::fmt::Formatter<'_>) -> std::fmt::Result {
        f.debug_struct("Running").field("sip", &self.sip).field("http", &self.http).finish_non_exhaustive()
    }
}

/// Starts everything. `secrets` are what trunks' passwords are looked up in.
pub async fn start(config: &Config, demo: bool, secrets: BTreeMap<String, Secret>) -> Result<Running> {
    // Two providers can be linked in; the first caller of the process decides, and that is always this one.
    let _ = rustls::crypto::ring::default_provider().install_default();
    let clock = Clock::start();
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(|e| anyhow!("the system gives no random numbers: {e}"))?;
    let mut rng = Rng::from_entropy(seed);
    let dir = &config.data.dir;
    let recordings = config.recordings();
    config.make_data_dir()?;
    std::fs::create_dir_all(&recordings).with_context(|| format!("cannot make {}", recordings.display()))?;
    let recordings = recordings.canonicalize().with_context(|| format!("cannot find {}", recordings.display()))?;

    // Reading a model takes its time, and what is wrong with it is to be said before anything is opened.
    let recognisers = config.recognisers(move || clock.now().mono.0 / 1_000)?;
    match config.recogniser_line() {
        Some(line) => tracing::info!("speech is recognised by {line}"),
        None => tracing::info!("speech is not recognised: no [speech] recogniser is configured"),
    }

    let notary = config.notary()?;

    let store = Store::open(&config.store_place()).await.context("the database")?;
    let (inbox, receiver) = driver::inbox(clock);

    // Sockets first: a port that is taken must not cost a restart its facts.
    let sip_inbox = inbox.clone();
    let tls = secure::open(config)?;
    let net = Arc::new(start_net(config, tls.clone(), move |e| sip_inbox.net(e))?);
    let listener = tokio::net::TcpListener::bind(config.http.bind)
        .await
        .with_context(|| format!("http.bind: cannot listen on {}", config.http.bind))?;
    let http = listener.local_addr()?;
    let (udp, tcp) = (net.udp_addrs(), net.tcp_addrs());
    let https = match (config.http.tls, &tls) {
        (Some(addr), Some(tls)) => Some(secure::Listener::bind(addr, tls.clone()).await.context("http.tls")?),
        _ => None,
    };
    let https_at = https.as_ref().map(secure::Listener::address);

    let credentials = match demo {
        true => demo_seed(&store, clock.now(), &mut rng, config, &udp, http).await?,
        false => None,
    };

    let sip_tls = net.tls_addrs().first().copied();

    // The business.
    let here = here(config, &net, http, https_at)?;
    let current = Arc::new(RwLock::new(Arc::new(
        crate::center::settings::Settings::compile(0, Default::default(), &BTreeMap::new())
            .map_err(|p| anyhow!(p.join("\n")))?,
    )));
    let reach = Reach::from_listeners(here.listeners.iter().map(|l| (l.transport, l.local)));
    let dns = Dns::start(&config.dns_servers()?, reach, rng.fork(), move || clock.now().mono);
    let business = Arc::new(Business {
        store: store.clone(),
        net: net.clone(),
        dns,
        look_again: Mutex::default(),
        flows: flows::load(config.flows.dir.as_deref())?,
        here,
        inbox: inbox.clone(),
        clock,
        current: current.clone(),
        secrets,
        turn: tokio::sync::Mutex::new(()),
    });
    // Looked at before it is loaded: what is put there while the journal is replayed is taken up right after.
    let seen = business.seen().await;
    let (settings, call_settings) =
        business.load().await.map_err(|p| anyhow!("the business configuration:\n{}", p.join("\n")))?;
    *current.write().unwrap_or_else(|e| e.into_inner()) = settings.clone();

    // Memory.
    let mut memory = Memory::default();
    let replayed = store.replay(1, |r| memory.apply(&r)).await.context("the journal cannot be replayed")?;
    let repaired = repair(&memory, &recordings);

    // Edges.
    let vault = Arc::new(Vault::new(dir.join("files")));
    let (studio, engine) = start_studio(config, &recordings, dir, inbox.clone()).await?;
    let committed = inbox.clone();
    let (news, stored_to) = watch::channel(memory.seq);
    let journal = Journal::start(store.clone(), move |records| {
        if let Some(last) = records.last() {
            news.send_replace(last.seq);
            committed.put(Wake::Center(Input::Stored(last.seq)));
        }
    });
    let (blinks, blinks_in) = broadcast::channel(BLINKS_BEHIND_MAX);
    let shown = Arc::new(Shown::default());

    // The loop.
    let calls = Calls::new(call_settings, rng.fork());
    let center_config = CenterConfig {
        recordings: recordings.clone(),
        version: env!("CARGO_PKG_VERSION").into(),
        hears: recognisers.is_some(),
        kept: limits::CUSTOMERS_KEPT,
    };
    let mut center = Center::new(center_config, settings, calls, rng.fork());
    let mut first = Vec::new();
    let stored = memory.seq;
    center.recover(clock.now(), memory, &repaired, &mut first);
    let (ladders_in, ladders) = Ladders::start(store.clone(), clock);
    let edges = Edges {
        net: net.clone(),
        studio: studio.clone(),
        engine: engine.clone(),
        journal: journal.handle(),
        asker: Asker::new(&config.flows.http_allow, inbox.clone())?,
        verifier: Verifier::new(notary, inbox.clone(), clock),
        recaller: Recaller::new(store.clone(), inbox.clone()),
        streams: Streams::new(&config.media.streams_allow, business.secrets.clone(), inbox.clone()),
        ears: Ears::new(recognisers.as_ref().map(Pool::way), inbox.clone(), clock),
        ladders: ladders_in,
        blinks: blinks.clone(),
    };
    let driver = Driver { center, clock, edges, shown: shown.clone(), inbox: inbox.clone(), receiver, stored };
    let loop_thread = driver.start(first).context("the center's thread")?;

    // Doors.
    let door: Arc<dyn Door> = Arc::new(Front {
        inbox: inbox.clone(),
        shown: shown.clone(),
        clock,
        settings: current.clone(),
        business: business.clone(),
        next: AtomicU64::new(0),
    });
    let sip = api::SipDoor { net: net.clone(), plain: http, tls: https_at, proxies: config.http.trusted_proxies.clone() };
    let carrier = carrier::Carrier::new(config)?;
    let courier = carrier.door();
    let sources = Sources {
        courier: carrier.stats(),
        shown: shown.clone(),
        inbox: inbox.clone(),
        net,
        tls: tls.clone(),
        engine: engine.clone(),
        journal: journal.handle(),
        recognisers: recognisers.as_ref().map(Pool::way),
    };
    let health_journal = journal.handle();
    let health_engine = engine.clone();
    let health_tls = tls.clone();
    let logins = Arc::new(tokio::sync::Notify::new());
    let prompts = flows::prompt_dirs(config.flows.dir.as_deref());
    let aging = Arc::new(tokio::sync::Notify::new());
    let ages = retention::Retention {
        store: store.clone(),
        recordings: recordings.clone(),
        door: door.clone(),
        clock,
        wake: aging.clone(),
    };
    let api = api::router(api::Parts {
        door: door.clone(),
        store: store.clone(),
        vault: vault.clone(),
        facts: journal.handle().news(),
        blinks: blinks_in,
        rng: rng.fork(),
        metrics: Arc::new(move || sources.text()),
        health: Arc::new(move || {
            let backlog = health_journal.backlog();
            let free = health_engine.counters().port_pairs_free;
            let certificate = health_tls.as_ref().map(|t| secure::health(t, clock));
            let mut parts = vec![
                api::Component {
                    name: "journal".into(),
                    ok: health_journal.healthy(),
                    detail: format!("{backlog} facts waiting"),
                },
                api::Component { name: "media".into(), ok: free > 0, detail: format!("{free} port pairs free") },
                shown.load.component(),
            ];
            parts.extend(certificate);
            parts
        }),
        logins: logins.clone(),
        recordings,
        https: config.http.https,
        origins: config.http.origins.clone(),
        sip,
        courier,
        aging: aging.clone(),
        flow_world: api::FlowWorld {
            urls: config.flows.http_allow.clone(),
            prompt: Arc::new(move |name| prompts.iter().find_map(|dir| flows::prompt_info(&dir.join(name)))),
        },
    });
    let mut edges = tokio::task::JoinSet::new();
    edges.spawn(reports::watch(store.clone(), door.clone()));
    let (carried, carry_rng) = (store.clone(), rng.fork());
    let chat = webchat::router(webchat::Parts {
        door: door.clone(),
        store: store.clone(),
        vault: vault.clone(),
        facts: journal.handle().subscribe(),
        blinks: blinks.subscribe(),
        rng: rng.fork(),
    });
    let app = api.merge(chat);
    if let Some(https) = https {
        edges.spawn(https.serve(api::over_tls(app.clone())));
    }
    if let Some(tls) = tls {
        edges.spawn(secure::watch(tls, clock, certificate_alarm(current, inbox.clone())));
    }
    edges.spawn(carrier.run(carried, stored_to, clock, carry_rng, inbox.clone()));
    let app = app.into_make_service_with_connect_info::<SocketAddr>();
    let web = tokio::spawn(async move { axum::serve(listener, app).await });
    let watch = tokio::spawn(business.watch(logins, seen));
    edges.spawn(ages.run());
    edges.spawn(keeper::keep(vault, store.clone(), door, clock));
    Ok(Running {
        sip: udp.into_iter().chain(tcp).collect(),
        http,
        sip_tls,
        https: https_at,
        edges,
        credentials,
        replayed,
        inbox,
        loop_thread: Some(loop_thread),
        journal,
        web,
        watch,
        ladders,
        store,
        studio,
        engine,
        recognisers,
    })
}

impl Running {
    /// Stops taking anything new, writes the last facts, closes recordings. What was going on is found by the next start.
    pub async fn stop(mut self) {
        self.web.abort();
        self.edges.abort_all();
        self.watch.abort();
        self.inbox.put(Wake::Stop);
        if let Some(thread) = self.loop_thread.take() {
            // The loop ends at its next wake, which is the one just sent.
            let _ = tokio::task::spawn_blocking(move || thread.join()).await;
        }
        // Its way in went with the loop.
        if tokio::time::timeout(FLUSH_PATIENCE, self.ladders).await.is_err() {
            tracing::error!("ladders of calls were not written");
        }
        let lost = self.journal.shut_down(FLUSH_PATIENCE).await;
        if lost > 0 {
            tracing::error!(lost, "facts were not written");
        }
        let (studio, engine, recognisers) = (self.studio, self.engine, self.recognisers);
        // Closing recordings waits for the disk.
        let _ = tokio::task::spawn_blocking(move || drop((studio, engine, recognisers))).await;
        self.store.close().await;
    }
}

/// Port 0 takes one that is free for UDP and TCP alike, so that there is one address to tell.
fn start_net(
    config: &Config,
    keys: Option<Arc<Tls>>,
    inbox: impl Fn(crate::net::NetEvent) -> Result<(), crate::net::NetEvent> + Clone + Send + Sync + 'static,
) -> Result<Net> {
    let bind = config.sip.bind;
    let spoken = config.spoken()?;
    let mut tries = if bind.port() == 0 { FREE_PORT_TRIES } else { 1 };
    loop {
        tries -= 1;
        let at = match bind.port() {
            0 => std::net::UdpSocket::bind(bind).and_then(|s| s.local_addr()).context("sip.bind")?,
            _ => bind,
        };
        // The first of UDP and of TCP are `sip.bind`, which now has its port; whoever else asks for any port gets their own.
        let binds = |transport| {
            let of_it = spoken.iter().filter(move |s| s.transport == transport).map(|s| s.bind).enumerate();
            of_it.map(|(n, b)| if n == 0 && b == bind && transport != Transport::Tls { at } else { b }).collect()
        };
        let mut net = NetConfig::new(binds(Transport::Udp), binds(Transport::Tcp));
        net.tls = binds(Transport::Tls);
        let doors = |transport| spoken.iter().filter(move |s| s.transport == transport).map(|s| s.acl.clone()).collect();
        net.doors = Doors { udp: doors(Transport::Udp), tcp: doors(Transport::Tcp), tls: doors(Transport::Tls) };
        net.keys = keys.clone();
        net.acl = Acl { allow: config.sip.allow.clone(), deny: config.sip.deny.clone() };
        (net.streams_max, net.streams_per_ip) = (config.sip.connections, config.sip.connections_per_address);
        net.idle = Duration::from_secs(config.sip.idle_s.into());
        match Net::start(net, inbox.clone()) {
            // Free for UDP only, or somebody was quicker.
            Err(_) if tries > 0 => {}
            // The address is in the error.
            net => return net.context("sip.bind, sip.tls, sip.listen (is another SIP server running?)"),
        }
    }
}

/// Raises the alarm about our certificate with every tenant, or ends it.
fn certificate_alarm(settings: Arc<RwLock<Arc<Settings>>>, inbox: Inbox) -> impl Fn(Option<String>) + Send {
    move |message| {
        let settings = settings.read().unwrap_or_else(|e| e.into_inner()).clone();
        for tenant in settings.tenants.keys().cloned() {
            let (on, message) = (message.is_some(), message.clone().unwrap_or_default());
            inbox.put(Wake::Center(Input::Alarm { tenant, code: "certificate".into(), message, on }));
        }
    }
}

fn here(config: &Config, net: &Net, http: SocketAddr, https: Option<SocketAddr>) -> Result<Here> {
    let spoken = config.spoken()?;
    let mut listeners = Vec::new();
    for (transport, bound) in
        [(Transport::Udp, net.udp_addrs()), (Transport::Tcp, net.tcp_addrs()), (Transport::Tls, net.tls_addrs())]
    {
        // Bound in the order they are written in.
        let of_it = spoken.iter().filter(|s| s.transport == transport);
        listeners.extend(bound.into_iter().zip(of_it).map(|(local, s)| {
            let public = s.public.clone().map(|(host, port)| (host, port.unwrap_or(local.port())));
            Listener { transport, local, public: public.or_else(|| public_host(local, None)) }
        }));
    }
    let pages = [(Transport::Ws, Some(http)), (Transport::Wss, https)];
    listeners.extend(pages.into_iter().filter_map(|(transport, local)| {
        let local = local?;
        let whole = config.sip.public.filter(|ip| local.ip().is_unspecified() || ip.is_ipv4() == local.is_ipv4());
        Some(Listener { transport, local, public: public_host(local, whole) })
    }));
    let media = media_addrs(config, &spoken);
    let timeout = config.media.timeout_s;
    let strong_digest = config.sip.digest_sha256;
    let gate = Rules { requests_per_s: config.sip.requests_per_s, ban_after: config.sip.ban_after };
    let media_timeout = (timeout > 0).then(|| Duration::from_secs(u64::from(timeout)));
    let seconds = |s: u32| Duration::from_secs(u64::from(s));
    Ok(Here {
        listeners,
        media,
        strong_digest,
        gate,
        reliable: config.sip.reliable,
        session_expires: (config.sip.session_expires_s > 0).then(|| seconds(config.sip.session_expires_s)),
        session_min: seconds(config.sip.session_min_s),
        ladder: config.sip.ladder,
        authorities: !config.stir.roots.is_empty(),
        media_timeout,
        fingerprint: Some(media::dtls::identity().fingerprint),
    })
}

/// The addresses media is reached at, one of each family its ports are bound on: what the world calls us, what they are bound on,
/// what this machine uses towards the world. The family `sip.bind` is not of has its address from who listens on it.
fn media_addrs(config: &Config, spoken: &[Spoken]) -> MediaAddrs {
    let bound = config.media_bind();
    let of = |v6: bool| {
        let family = |ip: &IpAddr| ip.is_ipv6() == v6;
        let both = bound.is_unspecified() && bound.is_ipv6();
        if !both && !family(&bound) {
            return None;
        }
        let certain = |ip: IpAddr| Some(ip).filter(|ip| family(ip) && !ip.is_unspecified());
        let heard = |s: &Spoken| s.public.as_ref().and_then(|(host, _)| certain(host.ip()?)).or_else(|| certain(s.bind.ip()));
        let beside = || if family(&config.sip.bind.ip()) { None } else { spoken.iter().find_map(heard) };
        config.sip.public.filter(family).or_else(|| certain(bound)).or_else(beside).or_else(|| outward_ip(v6))
    };
    let v4 = of(false).and_then(|ip| if let IpAddr::V4(ip) = ip { Some(ip) } else { None });
    let v6 = of(true).and_then(|ip| if let IpAddr::V6(ip) = ip { Some(ip) } else { None });
    MediaAddrs { v4, v6 }
}

async fn demo_seed(
    store: &Store,
    now: Now,
    rng: &mut Rng,
    config: &Config,
    udp: &[SocketAddr],
    http: SocketAddr,
) -> Result<Option<DemoCredentials>> {
    let shown = |a: SocketAddr| match a.ip().is_unspecified() {
        true => SocketAddr::new(outward_ip(a.is_ipv6()).unwrap_or([127, 0, 0, 1].into()), a.port()),
        false => a,
    };
    let sip = udp.first().map(|a| shown(*a).to_string()).unwrap_or_default();
    let made = demo::seed(store, now.wall, rng, sip, format!("http://{}", shown(http))).await?;
    if let Some(c) = &made {
        demo::write(&config.data.dir.join("demo-credentials.json"), c)?;
    }
    Ok(made)
}

/// Makes recordings that were running playable, and measures them.
fn repair(memory: &Memory, recordings: &std::path::Path) -> BTreeMap<RecordingId, Repaired> {
    let mut found = BTreeMap::new();
    for (_, _, id, file) in memory.running_recordings() {
        let path = recordings.join(file);
        match media::record::repair(&path) {
            Ok(duration) => {
                let bytes = std::fs::metadata(&path).map_or(0, |m| m.len());
                found.insert(id, Repaired { duration, bytes });
            }
            Err(error) => tracing::warn!(%error, "a recording of before the restart cannot be repaired"),
        }
    }
    found
}

async fn start_studio(
    config: &Config,
    recordings: &std::path::Path,
    dir: &std::path::Path,
    inbox: Inbox,
) -> Result<(Studio, Arc<media::Engine>)> {
    let speech = TextToSpeech::open(Speech::default(), dir.join("tts")).await.context("the speech cache")?;
    if let Err(error) = speech.check().await {
        tracing::error!(%error, "prompts without a recorded file will be beeps");
    }
    let voice: Voice = Arc::new(move |text: Arc<str>, lang: Arc<str>| {
        let speech = speech.clone();
        Box::pin(async move { speech.say(&text, &lang).await.map_err(|e| e.to_string()) })
    });
    let library = Library::new(flows::prompt_dirs(config.flows.dir.as_deref()), Some(voice));
    let events: EventSink = Arc::new(move |e| inbox.put(Wake::Center(Input::Call(call::Input::Media(e)))));
    let engine =
        EngineConfig { bind: config.media_bind(), ports: config.rtp_ports()?, threads: config.media.threads, pin: true };
    Studio::start(StudioConfig::new(recordings.to_path_buf()), engine, library, tokio::runtime::Handle::current(), events)
        .context("the media engine")
}
