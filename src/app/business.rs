//! The business configuration in force: compiled from the latest version in the store and the users of the directory, applied
//! by people, and watched for versions that another process (`ringdesk apply`) has put there.

use std::{
    collections::BTreeMap,
    net::{IpAddr, SocketAddr},
    sync::{Arc, Mutex, PoisonError, RwLock},
    time::Duration,
};

use super::{
    clock::Clock,
    driver::{Inbox, Wake},
    flows::Flows,
};
use crate::{
    base::{Mono, Network, TenantId, TrunkId, limits, redact::Secret},
    call::{
        CallSettings, MediaAddrs, MediaPolicy, Place, TrunkTarget,
        route::Audience,
        trunk::{Policy, Voucher},
    },
    center::{
        Input,
        settings::{self, Settings, diff},
    },
    net::{Dns, Net, pen},
    sip::{
        auth::{Credentials, Ha1},
        gate::Rules,
        locate::Question,
        msg::{Host, parse_host_port},
        stack::{Listener, Reliable, SipSettings, TrunkPeer},
        transport::Transport,
    },
    store::{Store, StoreError, User},
};

/// How often another process's changes are looked for.
const WATCH_EVERY: Duration = Duration::from_secs(2);
/// Old sign-ins are swept every so many looks.
const SWEEP_ROUNDS: u32 = 300;

/// Where we are reached.
#[derive(Debug, Clone)]
pub struct Here {
    /// Sockets of SIP.
    pub listeners: Vec<Listener>,
    /// Where media is reached.
    pub media: MediaAddrs,
    /// How many requests an address may send, and how many wrong passwords.
    pub gate: Rules,
    /// Phones are offered SHA-256 before MD5.
    pub strong_digest: bool,
    /// Which provisional responses are sent reliably.
    pub reliable: Reliable,
    /// How long a session goes on without a refresh; `None`: as peers ask.
    pub session_expires: Option<Duration>,
    /// The shortest session timer taken.
    pub session_min: Duration,
    /// The messages of calls are kept.
    pub ladder: bool,
    /// There is somebody whose certificates count for callers.
    pub authorities: bool,
    /// A leg nothing is heard from for so long is given up.
    pub media_timeout: Option<Duration>,
    /// SHA-256 of the engine's certificate; without one browsers cannot talk to us.
    pub fingerprint: Option<[u8; 32]>,
}

/// The configuration and the way to change it.
pub struct Business {
    pub store: Store,
    /// Numbers the names of TLS peers.
    pub net: Arc<Net>,
    /// Finds carriers that are called by name.
    pub dns: Dns,
    /// When the first of them has to be looked for again.
    pub look_again: Mutex<Option<Mono>>,
    pub flows: Flows,
    pub here: Here,
    pub inbox: Inbox,
    pub clock: Clock,
    pub current: Arc<RwLock<Arc<Settings>>>,
    /// Looked up by name when a trunk's password is needed.
    pub secrets: BTreeMap<String, Secret>,
    /// One change at a time.
    pub turn: tokio::sync::Mutex<()>,
}

/// The version of the configuration, and how often users had been changed, in the store at a moment.
pub type Seen = (u64, u64);

/// Both halves, ready to be put in force.
pub type Compiled = (Arc<Settings>, Arc<CallSettings>);

impl Business {
    /// Checks a new configuration; unless it is a trial, keeps it and puts it in force. The diff, or the problems.
    ///
    /// It spans all tenants: the door that asked writes its own tenant's part into that tenant's audit log.
    pub async fn apply(&self, who: &str, yaml: &str, dry_run: bool) -> Result<String, Vec<String>> {
        let _turn = self.turn.lock().await;
        let broken = |e: StoreError| vec![e.to_string()];
        let business = settings::Business::parse(yaml).map_err(|e| vec![e])?;
        let old = self.store.config_latest().await.map_err(broken)?;
        let new_text = business.to_yaml();
        let old_text = old.as_ref().map(|v| v.yaml.clone()).unwrap_or_default();
        let changes = diff(&old_text, &new_text);
        let version = old.map_or(1, |v| v.version + 1);
        let compiled = self.compile(version, business).await?;
        if dry_run || changes.is_empty() {
            return Ok(changes);
        }
        let now = self.clock.now().wall;
        self.store.config_append(now, who, &new_text).await.map_err(broken)?;
        self.put_in_force(compiled);
        Ok(changes)
    }

    /// The latest version, compiled.
    pub async fn load(&self) -> Result<Compiled, Vec<String>> {
        let latest = self.store.config_latest().await.map_err(|e| vec![e.to_string()])?;
        let (version, yaml) = latest.map_or((0, String::from("tenants: {}\n")), |v| (v.version, v.yaml));
        let business = settings::Business::parse(&yaml).map_err(|e| vec![format!("version {version} in the store: {e}")])?;
        self.compile(version, business).await
    }

    /// From now on this holds.
    pub fn put_in_force(&self, (settings, calls): Compiled) {
        *self.current.write().unwrap_or_else(|e| e.into_inner()) = settings.clone();
        self.inbox.put(Wake::Calls(calls));
        self.inbox.put(Wake::Center(Input::Settings(settings)));
    }

    /// Users have changed: phones log in by the new list.
    async fn directory_changed(&self) {
        let _turn = self.turn.lock().await;
        match self.load().await {
            Ok(compiled) => self.put_in_force(compiled),
            Err(problems) => tracing::error!(?problems, "the changed directory is not in force"),
        }
    }

    /// Puts in force what another process has put into the store since `seen`, and users as they change. Never returns.
    pub async fn watch(self: Arc<Self>, logins: Arc<tokio::sync::Notify>, mut seen: Option<Seen>) {
        let mut rounds = 0u32;
        loop {
            tokio::select! {
                () = logins.notified() => {}
                () = tokio::time::sleep(WATCH_EVERY) => rounds = rounds.wrapping_add(1),
            }
            if rounds % SWEEP_ROUNDS == 1 {
                self.sweep().await;
            }
            // What does not compile is said once, not every two seconds: it is looked at again when it has changed.
            let now = self.seen().await;
            if now.is_some() && now != seen {
                seen = now;
                tracing::info!("the configuration or the users in the store have changed");
                self.directory_changed().await;
            } else if self.may_have_moved() {
                self.carriers_moved().await;
            }
        }
    }

    /// Carriers are looked for again. Drawn anew as well, so that what the weights of a domain share out is shared among these
    /// minutes; nothing else changes.
    async fn carriers_moved(&self) {
        let _turn = self.turn.lock().await;
        match self.load().await {
            Ok((_, calls)) => self.inbox.put(Wake::Calls(calls)),
            Err(problems) => {
                tracing::error!(?problems, "carriers cannot be looked for again");
                let soon = self.clock.now().mono + limits::DNS_FAILED_LIFE;
                *self.look_again.lock().unwrap_or_else(PoisonError::into_inner) = Some(soon);
            }
        }
    }

    /// Whether where a carrier is has been known for as long as it is good for.
    fn may_have_moved(&self) -> bool {
        let mut again = self.look_again.lock().unwrap_or_else(PoisonError::into_inner);
        again.take_if(|at| *at <= self.clock.now().mono).is_some()
    }

    /// What is in the store now; `None` when it cannot be read.
    pub async fn seen(&self) -> Option<Seen> {
        self.store
            .directory_state()
            .await
            .inspect_err(|error| tracing::debug!(%error, "the configuration could not be looked at"))
            .ok()
    }

    /// Forgets sign-ins that are over and visitors who have not been seen for long.
    async fn sweep(&self) {
        const VISITORS_KEPT: Duration = Duration::from_secs(30 * 86_400);
        let now = self.clock.now().wall;
        let swept = self.store.sessions_sweep(now).await.and(self.store.visitors_sweep(now - VISITORS_KEPT).await);
        if let Err(error) = swept {
            tracing::debug!(%error, "old sign-ins could not be swept");
        }
    }

    async fn compile(&self, version: u64, business: settings::Business) -> Result<Compiled, Vec<String>> {
        let settings = Settings::compile(version, business, &self.flows)?;
        let users = self.store.user_list_all().await.map_err(|e| vec![e.to_string()])?;
        let (mut trunks, mut again) = (BTreeMap::new(), None);
        for (tenant, t) in &settings.tenants {
            for (id, trunk) in &t.config.trunks {
                let realm = crate::api::sip_realm(&settings, tenant);
                match self.resolve(trunk, &realm, t.config.trunk_policy(trunk), t.config.trunk_rules(trunk)).await {
                    Ok((target, until)) => {
                        if target.policy.verify.is_some() && !self.here.authorities {
                            tracing::error!(%tenant, trunk = %id, "callers are to be verified, but [stir] roots names no authority");
                        }
                        again = again.into_iter().chain(until).min();
                        trunks.insert((tenant.clone(), id.clone()), target);
                    }
                    // A carrier that cannot be found now must not keep everything else from working.
                    Err(error) => {
                        tracing::error!(%tenant, trunk = %id, error, "this trunk cannot be used");
                        again = again.into_iter().chain([self.clock.now().mono + limits::DNS_FAILED_LIFE]).min();
                    }
                }
            }
        }
        *self.look_again.lock().unwrap_or_else(PoisonError::into_inner) = again;
        let logins = self.logins(&settings, &users);
        let sip = sip_settings(&settings, &users, &trunks, logins, &self.here);
        let calls = CallSettings {
            sip: Arc::new(sip),
            media: self.here.media,
            trunks,
            groups: settings.trunk_groups(),
            media_timeout: self.here.media_timeout,
            ptime_ms: 20,
            phones: settings.tenants.iter().map(|(id, t)| (id.clone(), t.config.phone_policies())).collect(),
            fingerprint: self.here.fingerprint,
        };
        Ok((Arc::new(settings), Arc::new(calls)))
    }

    /// What trunks log in with. One whose secret is missing, or whose name is a user's, cannot log in.
    fn logins(&self, settings: &Settings, users: &[User]) -> BTreeMap<(TenantId, TrunkId), (String, Ha1)> {
        let mut logins = BTreeMap::new();
        for (tenant, t) in &settings.tenants {
            let realm = crate::api::sip_realm(settings, tenant);
            for (id, login) in t.config.trunks.iter().filter_map(|(id, trunk)| Some((id, trunk.login.as_ref()?))) {
                if users.iter().any(|u| u.tenant == *tenant && u.login.as_str() == login.username) {
                    tracing::error!(%tenant, trunk = %id, "this trunk cannot log in: a user has its name");
                    continue;
                }
                match self.secret(&login.password_secret) {
                    Ok(password) => {
                        let ha1 = Ha1::new(&login.username, &realm, password.expose());
                        logins.insert((tenant.clone(), id.clone()), (login.username.clone(), ha1));
                    }
                    Err(error) => tracing::error!(%tenant, trunk = %id, error, "this trunk cannot log in"),
                }
            }
        }
        logins
    }

    fn secret(&self, name: &str) -> Result<&Secret, String> {
        let missing = || format!("the secret `{name}` is not set: give it as RINGDESK_SECRET_{}", name.to_uppercase());
        self.secrets.get(name).ok_or_else(missing)
    }

    async fn resolve(
        &self,
        t: &settings::Trunk,
        realm: &str,
        media: MediaPolicy,
        mut policy: Policy,
    ) -> Result<(TrunkTarget, Option<Mono>), String> {
        if let Some(stir) = t.stir.as_ref().filter(|s| s.signs()) {
            let name = &stir.key_secret;
            let pen = pen(self.secret(name)?.expose()).map_err(|why| format!("the secret `{name}` {why}"))?;
            policy.voucher = Some(Voucher { stir: stir.clone(), pen });
        }
        if let Some(login) = t.login.as_ref().filter(|_| t.host.is_empty()) {
            let target =
                TrunkTarget { max_calls: t.max_calls, media, policy, ..TrunkTarget::registered(&login.username, realm) };
            return Ok((target, None));
        }
        let transport = match t.transport.as_str() {
            "auto" => None,
            word => Some(Transport::parse(word).ok_or_else(|| format!("`{word}` is no transport"))?),
        };
        let (name, port) = parse_host_port(&t.host).map_err(|e| format!("{}: {e}", t.host))?;
        let host = name.to_string();
        let question = Question { host: name, port, transport, secure: false };
        let located = self.dns.locate(question).await.map_err(|e| format!("{host}: {e}"))?;
        let (first, next) = located.targets.split_first().ok_or_else(|| format!("{host} leads nowhere"))?;
        let (transport, addr) = (first.transport, first.addr);
        let credentials = match (&t.username, &t.password_secret) {
            (Some(user), Some(name)) => {
                let password = self.secret(name)?.clone();
                let realm = t.realm.clone().unwrap_or_else(|| host.clone());
                let hosts = located.targets.iter().map(|t| t.addr.ip()).collect();
                Some(Credentials { realm, user: user.clone(), password, hosts })
            }
            _ => None,
        };
        let secure = first.transport == Transport::Tls || next.iter().any(|t| t.transport == Transport::Tls);
        let peer = secure.then(|| self.net.peer(host.trim_matches(['[', ']'])));
        let target = TrunkTarget {
            transport,
            place: Place::At(addr),
            next: next.to_vec(),
            host,
            port,
            open: t.transport == "auto",
            peer,
            credentials,
            max_calls: t.max_calls,
            media,
            policy,
        };
        Ok((target, located.until))
    }
}

fn sip_settings(
    settings: &Settings,
    users: &[User],
    targets: &BTreeMap<(TenantId, TrunkId), TrunkTarget>,
    mut logins: BTreeMap<(TenantId, TrunkId), (String, Ha1)>,
    here: &Here,
) -> SipSettings {
    let mut s = SipSettings {
        user_agent: format!("ringdesk/{}", env!("CARGO_PKG_VERSION")),
        listeners: here.listeners.clone(),
        strong_digest: here.strong_digest,
        gate: here.gate,
        reliable: here.reliable,
        session_expires: here.session_expires,
        session_min: here.session_min,
        ladder: here.ladder,
        ..SipSettings::default()
    };
    for (id, t) in &settings.tenants {
        s.realms.insert(id.clone(), crate::api::sip_realm(settings, id));
        for d in t.config.domains.iter().filter(|d| *d != "*") {
            s.domains.insert(d.to_lowercase(), id.clone());
        }
        if t.config.domains.is_empty() || t.config.domains.iter().any(|d| d == "*") {
            s.default_tenant.get_or_insert_with(|| id.clone());
        }
        let extensions = t.config.extensions().map(|(n, agent)| ((id.clone(), n.to_owned()), agent.to_string()));
        s.extensions.extend(extensions);
        s.emergency.extend(t.config.toll.emergency.iter().map(|n| (id.clone(), n.clone())));
        for r in t.config.routes.iter().filter(|r| r.from == Audience::Public) {
            s.public_numbers.push((id.clone(), r.pattern.clone()));
        }
        for (trunk, config) in &t.config.trunks {
            let mut addresses: Vec<(Network, Option<u16>)> = config.from.iter().map(|net| (*net, None)).collect();
            let key = (id.clone(), trunk.clone());
            let login = logins.remove(&key);
            if config.login.is_some() && login.is_none() {
                // Its address must not do in place of a password that is missing.
                continue;
            }
            if addresses.is_empty()
                && login.is_none()
                && let Some(target) = targets.get(&key)
            {
                let all = target.addr().into_iter().chain(target.next.iter().map(|t| t.addr));
                addresses.extend(all.map(|a| (a.ip().into(), Some(a.port()))));
            }
            s.trunks.push(TrunkPeer { id: trunk.clone(), tenant: id.clone(), addresses, deny: config.deny.clone(), login });
        }
    }
    for u in users.iter().filter(|u| !u.disabled) {
        if let (Some(md5), Some(sha256)) = (&u.sip_md5, &u.sip_sha256) {
            let ha1 = Ha1 { md5: md5.expose().to_owned(), sha256: sha256.expose().to_owned() };
            s.users.insert((u.tenant.clone(), u.login.to_string()), ha1);
        }
    }
    s
}

/// What goes into Via, Contact and SDP where a socket is bound to all addresses: what was configured, or the address this
/// machine uses towards the world.
pub fn public_host(local: SocketAddr, configured: Option<IpAddr>) -> Option<(Host, u16)> {
    let ip = configured.or_else(|| if local.ip().is_unspecified() { outward_ip(local.is_ipv6()) } else { None })?;
    Some((Host::Ip(ip), local.port()))
}

/// The address this machine uses towards the world. Nothing is sent: connecting a datagram socket only asks for the route.
pub fn outward_ip(v6: bool) -> Option<IpAddr> {
    let (any, there) = if v6 { ("[::]:0", "[2001:db8::1]:9") } else { ("0.0.0.0:0", "192.0.2.1:9") };
    let socket = std::net::UdpSocket::bind(any).ok()?;
    socket.connect(there).ok()?;
    let ip = socket.local_addr().ok()?.ip();
    (!ip.is_unspecified()).then_some(ip)
}
