//! Process settings: defaults, then `ringdesk.toml`, then environment, then flags. Unknown keys are refused; secrets are not
//! shown when printed.

use std::{
    net::{IpAddr, Ipv6Addr, SocketAddr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

use crate::{
    base::{Acl, Network, limits},
    net::{Notary, NotaryConfig, TlsFiles},
    sip::{
        msg::{Host, parse_host_port},
        stack::Reliable,
        transport::Transport,
    },
    speech::recognise::{self, Kind, Pool},
};

/// Everything a process is told at boot.
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Config {
    /// SIP.
    pub sip: Sip,
    /// HTTP.
    pub http: Http,
    /// RTP.
    pub media: Media,
    /// Files.
    pub data: Data,
    /// Flows.
    pub flows: Flows,
    /// The certificate.
    pub tls: TlsConfig,
    /// Name servers.
    pub dns: DnsConfig,
    /// Speech recognition.
    pub speech: Speech,
    /// Programs outside that are told what happens.
    pub webhooks: Webhooks,
    /// Who vouches for callers.
    pub stir: Stir,
}

/// `[webhooks]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Webhooks {
    /// Networks events may be sent to although they are not on the public internet: `10.1.0.0/16`. Only there may they be sent
    /// over http in clear. None by default.
    pub allow: Vec<Network>,
}

/// `[stir]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Stir {
    /// The authorities whose certificates count for callers (STIR/SHAKEN), PEM files. None: nobody's caller is ever verified.
    pub roots: Vec<PathBuf>,
    /// Networks callers' certificates may be fetched from though they are not public: `10.1.0.0/16`. None by default.
    pub inside: Vec<Network>,
}

/// `[speech]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Speech {
    /// What recognises speech: `whisper`, where the program was built with it. Nothing does by default.
    pub recogniser: Option<Recogniser>,
    /// The file of its model.
    pub model: Option<PathBuf>,
    /// Utterances recognised at once, each on a thread of its own; 0 for one.
    pub threads: usize,
}

/// What can recognise speech.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize, clap::ValueEnum)]
#[serde(rename_all = "lowercase")]
pub enum Recogniser {
    /// whisper.cpp.
    Whisper,
}

/// `[dns]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct DnsConfig {
    /// Whom to ask where carriers are: `192.0.2.53` or `192.0.2.53:5353`. Those of the system by default.
    pub servers: Vec<String>,
}

/// `[tls]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct TlsConfig {
    /// The certificate with its chain, PEM. Without one, a self-signed one is made in the data folder.
    pub cert: Option<PathBuf>,
    /// Its private key, PEM.
    pub key: Option<PathBuf>,
    /// Authorities trusted besides the public ones when we open a TLS connection, PEM.
    pub ca: Option<PathBuf>,
}

/// `[sip]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sip {
    /// Address and port for UDP and TCP. Default `0.0.0.0:5060`.
    pub bind: SocketAddr,
    /// Address and port for TLS. None by default.
    pub tls: Option<SocketAddr>,
    /// What the world calls that address, where it is another (behind a NAT).
    pub public: Option<IpAddr>,
    /// More addresses to listen on, `[[sip.listen]]`.
    pub listen: Vec<Listen>,
    /// Most connections (TCP, TLS, WebSocket) from one address. Behind one NAT sits a whole office.
    pub connections_per_address: usize,
    /// Most connections.
    pub connections: usize,
    /// New requests a second from one address that is neither a trunk nor a registered phone; twice as many at once. More are
    /// dropped. 0: no limit.
    pub requests_per_s: u32,
    /// So many wrong passwords from one address within ten minutes, and it is not listened to for ten; 0: never.
    pub ban_after: u32,
    /// Networks that may speak SIP to us: `192.0.2.0/24`. Everybody if empty.
    pub allow: Vec<Network>,
    /// Networks that may not, whatever is allowed.
    pub deny: Vec<Network>,
    /// A connection without a message or keep-alive is closed after so many seconds.
    pub idle_s: u32,
    /// Phones are offered a digest by SHA-256 before the one by MD5. Off: phones of before RFC 8760 (baresip 1.x) refuse both.
    pub digest_sha256: bool,
    /// Which provisional responses are sent so that they are sure to arrive (RFC 3262): `sound` (those with a description),
    /// `always`, `when_required`. Default `sound`.
    pub reliable: Reliable,
    /// A call is asked after so many seconds whether it still stands, where the peer knows how (RFC 4028); 0: only when the
    /// peer asks. Default 1800.
    pub session_expires_s: u32,
    /// Shorter session timers of peers are refused with 422. Default and least 90.
    pub session_min_s: u32,
    /// The SIP messages of every call are kept with its record, without secrets. Default true.
    pub ladder: bool,
}

/// `[[sip.listen]]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields)]
pub struct Listen {
    /// `udp`, `tcp` or `tls`.
    pub transport: ListenTransport,
    /// Address and port.
    pub bind: SocketAddr,
    /// What the world calls it, where it is another: an address or a name, with the port when that is another too.
    #[serde(default)]
    pub public: Option<String>,
    /// Networks that may speak to it, of those that may speak to us; all of them if empty.
    #[serde(default)]
    pub allow: Vec<Network>,
    /// Networks that may not, whatever is allowed.
    #[serde(default)]
    pub deny: Vec<Network>,
}

/// What can be listened on here.
#[derive(Debug, Clone, Copy, PartialEq, Eq, Deserialize, Serialize)]
#[serde(rename_all = "lowercase")]
pub enum ListenTransport {
    /// Datagrams.
    Udp,
    /// A stream.
    Tcp,
    /// An encrypted stream.
    Tls,
}

impl From<ListenTransport> for Transport {
    fn from(t: ListenTransport) -> Transport {
        match t {
            ListenTransport::Udp => Transport::Udp,
            ListenTransport::Tcp => Transport::Tcp,
            ListenTransport::Tls => Transport::Tls,
        }
    }
}

/// One address SIP is spoken on.
#[derive(Debug, Clone, PartialEq, Eq)]
pub struct Spoken {
    /// How.
    pub transport: Transport,
    /// Where; port 0 takes a free one.
    pub bind: SocketAddr,
    /// What the world calls it; the port only where it is another.
    pub public: Option<(Host, Option<u16>)>,
    /// Who may speak to it, of those that may speak to us.
    pub acl: Acl,
}

/// `[http]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address and port. Default `0.0.0.0:8080`.
    pub bind: SocketAddr,
    /// Address and port for https and secure WebSockets, besides the plain one. None by default.
    pub tls: Option<SocketAddr>,
    /// The pages are reached over https (a proxy in front): cookies are marked secure.
    pub https: bool,
    /// Proxies in front of us whose `X-Forwarded-For` is believed. None by default: anybody can write that header.
    pub trusted_proxies: Vec<IpAddr>,
    /// Addresses the pages are reached under besides the `Host` of the request: `https://desk.example`.
    pub origins: Vec<String>,
}

/// `[media]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// Address RTP ports are bound on; the SIP address if absent. `::` is every address of both families.
    pub bind: Option<IpAddr>,
    /// First and last port, `10000-20000`.
    pub rtp_ports: String,
    /// Shard threads; 0 for one per processor.
    pub threads: usize,
    /// A leg nothing is heard from for so many seconds is given up; 0: never.
    pub timeout_s: u32,
    /// Beginnings of addresses the sound of calls may be sent to: `wss://asr.example/`. None by default.
    pub streams_allow: Vec<String>,
}

/// `[data]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Data {
    /// Folder for recordings, speech cache, credentials, and the SQLite file.
    pub dir: PathBuf,
    /// `postgres://..` instead of the SQLite file. The password is not shown when printed.
    pub database: Option<String>,
}

/// `[flows]`
#[derive(Debug, Clone, Default, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Flows {
    /// Folder of flow files and their prompts. The flows that come with the program if absent.
    pub dir: Option<PathBuf>,
    /// Beginnings of addresses flows may ask over HTTP: `https://crm.example/`. None by default.
    pub http_allow: Vec<String>,
}

impl Default for Sip {
    fn default() -> Self {
        Sip {
            bind: SocketAddr::from(([0, 0, 0, 0], 5060)),
            tls: None,
            public: None,
            listen: Vec::new(),
            connections_per_address: limits::SIP_STREAMS_PER_IP,
            connections: limits::SIP_STREAMS_MAX,
            requests_per_s: 300,
            ban_after: 20,
            allow: Vec::new(),
            deny: Vec::new(),
            idle_s: limits::SIP_STREAM_IDLE.as_secs() as u32,
            digest_sha256: false,
            reliable: Reliable::default(),
            session_expires_s: 1_800,
            session_min_s: 90,
            ladder: true,
        }
    }
}

impl Default for Http {
    fn default() -> Self {
        Http {
            bind: SocketAddr::from(([0, 0, 0, 0], 8080)),
            tls: None,
            https: false,
            trusted_proxies: Vec::new(),
            origins: Vec::new(),
        }
    }
}

impl Default for Media {
    fn default() -> Self {
        Media { bind: None, rtp_ports: "10000-20000".into(), threads: 0, timeout_s: 60, streams_allow: Vec::new() }
    }
}

impl Default for Data {
    fn default() -> Self {
        Data { dir: "data".into(), database: None }
    }
}

impl Config {
    /// Reads a file; without one the defaults hold.
    pub fn load(file: Option<&Path>) -> Result<Config> {
        let Some(file) = file else { return Ok(Config::default()) };
        let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
        toml::from_str(&text).with_context(|| format!("{} is not a valid configuration", file.display()))
    }

    /// The RTP ports.
    pub fn rtp_ports(&self) -> Result<RangeInclusive<u16>> {
        let text = &self.media.rtp_ports;
        let parts = text.split_once('-').and_then(|(a, b)| Some((a.trim().parse().ok()?, b.trim().parse().ok()?)));
        let Some((lo, hi)) = parts else {
            bail!("media.rtp_ports: `{text}` is not a range; expected something like 10000-20000")
        };
        let pairs = (u32::from(hi) + 1).saturating_sub(u32::from(lo)) / 2;
        if lo < 1024 || pairs == 0 {
            bail!("media.rtp_ports: `{text}` holds no usable port pair; expected LO-HI with 1024 <= LO < HI");
        }
        Ok(lo..=hi)
    }

    /// Who looks whether callers are vouched for.
    pub fn notary(&self) -> Result<Notary> {
        let read = |file: &PathBuf, key| std::fs::read(file).with_context(|| format!("{key}: cannot read {}", file.display()));
        let mut roots = Vec::new();
        for file in &self.stir.roots {
            roots.extend(read(file, "stir.roots")?);
            roots.push(b'\n');
        }
        let https_ca = self.tls.ca.as_ref().map(|f| read(f, "tls.ca")).transpose()?.unwrap_or_default();
        let notary = NotaryConfig { roots, https_ca, inside: self.stir.inside.clone() };
        Notary::new(&notary).map_err(|why| anyhow::anyhow!("stir: {why}"))
    }

    /// Starts what recognises speech, if that is configured; reads its model for it. `clock` counts microseconds.
    pub fn recognisers(&self, clock: impl Fn() -> u64 + Clone + Send + 'static) -> Result<Option<Pool>> {
        let Speech { recogniser, model, threads } = &self.speech;
        let Some(recogniser) = recogniser else { return Ok(None) };
        let kind = match recogniser {
            Recogniser::Whisper => Kind::Whisper,
        };
        if *threads > limits::RECOGNISERS_MAX {
            bail!("speech.threads: {threads} are more than {}", limits::RECOGNISERS_MAX);
        }
        let maker = recognise::maker(kind, model.as_deref())?;
        Ok(Some(Pool::start(*threads, maker, clock)?))
    }

    /// What recognises speech, for people; none where nothing does.
    pub fn recogniser_line(&self) -> Option<String> {
        let Speech { recogniser, model, threads } = &self.speech;
        let name = match (*recogniser)? {
            Recogniser::Whisper => "whisper",
        };
        let model = model.as_ref().map(|m| m.display().to_string()).unwrap_or_default();
        Some(format!("{name}, model {model}, threads {}", (*threads).max(1)))
    }

    /// Every address SIP is spoken on: UDP and TCP on `sip.bind`, TLS on `sip.tls`, and what `[[sip.listen]]` adds.
    pub fn spoken(&self) -> Result<Vec<Spoken>> {
        let sip = &self.sip;
        if !(30..=86_400).contains(&sip.idle_s) {
            bail!("sip.idle_s: {} is not between 30 and 86400", sip.idle_s);
        }
        if sip.connections == 0 || sip.connections_per_address == 0 {
            bail!("sip.connections and sip.connections_per_address: 0 would let nobody in");
        }
        let whole = sip.public.map(|ip| (Host::Ip(ip), None));
        let first = [(Transport::Udp, Some(sip.bind)), (Transport::Tcp, Some(sip.bind)), (Transport::Tls, sip.tls)];
        let mut all: Vec<Spoken> = first
            .into_iter()
            .filter_map(|(transport, bind)| Some(Spoken { transport, bind: bind?, public: whole.clone(), acl: Acl::default() }))
            .collect();
        for (i, l) in sip.listen.iter().enumerate() {
            let at = |key: &str| format!("sip.listen[{i}].{key}");
            let public = match &l.public {
                // IPv6 behind an IPv4 address of the world's would be told to nobody who could use it.
                None => whole.clone().filter(|(h, _)| h.ip().is_none_or(|ip| ip.is_ipv4() == l.bind.is_ipv4())),
                Some(text) => {
                    let ip = text.parse::<IpAddr>().map(|ip| (Host::Ip(ip), None));
                    let read = ip.or_else(|_| parse_host_port(text).map_err(|why| format!("`{text}` is {why}")));
                    Some(read.map_err(|why| anyhow::anyhow!("{}: {why}", at("public")))?)
                }
            };
            let transport = l.transport.into();
            if l.bind.port() != 0 && all.iter().any(|s| s.transport == transport && s.bind == l.bind) {
                bail!("{}: {} is listened on already by {transport}", at("bind"), l.bind);
            }
            let acl = Acl { allow: l.allow.clone(), deny: l.deny.clone() };
            all.push(Spoken { transport, bind: l.bind, public, acl });
        }
        Ok(all)
    }

    /// The address RTP ports are bound on: as it says, else the one of SIP; where SIP is spoken on every address of both families,
    /// so is RTP.
    pub fn media_bind(&self) -> IpAddr {
        let sip = self.sip.bind.ip();
        let v6 = sip.is_unspecified() && self.sip.listen.iter().any(|l| l.bind.is_ipv6());
        self.media.bind.unwrap_or(if v6 { IpAddr::V6(Ipv6Addr::UNSPECIFIED) } else { sip })
    }

    /// The name servers to ask; none: those of the system.
    pub fn dns_servers(&self) -> Result<Vec<SocketAddr>> {
        let read = |text: &String| {
            let bare = text.parse::<IpAddr>().map(|ip| SocketAddr::new(ip, 53));
            bare.or_else(|_| text.parse()).with_context(|| {
                format!("dns.servers: `{text}` is no address; expected something like 192.0.2.53 or [2001:db8::53]:5353")
            })
        };
        self.dns.servers.iter().map(read).collect()
    }

    /// Where the database is.
    pub fn store_place(&self) -> String {
        self.data.database.clone().unwrap_or_else(|| self.data.dir.join("ringdesk.sqlite").display().to_string())
    }

    /// Makes the data folder where there is none, for its owner only: recordings and what phones log in with lie there. A folder
    /// that is already there keeps the rights somebody gave it.
    pub fn make_data_dir(&self) -> Result<()> {
        use std::os::unix::fs::DirBuilderExt as _;
        let dir = &self.data.dir;
        std::fs::DirBuilder::new()
            .recursive(true)
            .mode(0o700)
            .create(dir)
            .with_context(|| format!("cannot make {}", dir.display()))
    }

    /// The recordings folder.
    pub fn recordings(&self) -> PathBuf {
        self.data.dir.join("recordings")
    }

    /// Where certificate and key lie, and whether they are made by us when they are not there; none when nothing speaks TLS.
    /// A trunk over TLS needs `[sip] tls` as well: it is the address we are known by.
    pub fn tls_files(&self) -> Result<Option<(TlsFiles, bool)>> {
        let listens = self.sip.listen.iter().any(|l| l.transport == ListenTransport::Tls);
        if self.sip.tls.is_none() && self.http.tls.is_none() && !listens {
            return Ok(None);
        }
        let ca = self.tls.ca.clone();
        match (&self.tls.cert, &self.tls.key) {
            (Some(cert), Some(key)) => Ok(Some((TlsFiles { cert: cert.clone(), key: key.clone(), ca }, false))),
            (None, None) => {
                let dir = &self.data.dir;
                Ok(Some((TlsFiles { cert: dir.join("tls-cert.pem"), key: dir.join("tls-key.pem"), ca }, true)))
            }
            _ => bail!("tls: cert and key belong together; only one of them is given"),
        }
    }

    /// As TOML, without secrets.
    pub fn redacted(&self) -> Result<String> {
        let mut shown = self.clone();
        if let Some(url) = &mut shown.data.database {
            *url = redact_url(url);
        }
        toml::to_string_pretty(&shown).context("cannot print the configuration")
    }
}

/// A database address without its password.
fn redact_url(url: &str) -> String {
    let Some((scheme, rest)) = url.split_once("://") else { return url.to_owned() };
    match rest.rsplit_once('@') {
        Some((login, host)) => format!("{scheme}://{}:***@{host}", login.split(':').next().unwrap_or_default()),
        None => url.to_owned(),
    }
}

#[cfg(test)]
mod tests;
