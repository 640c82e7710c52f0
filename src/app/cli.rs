//! Arguments, and what each command prints.
#![allow(clippy::print_stdout, reason = "this is where the program talks to whoever typed the command")]

use std::{
    collections::{BTreeMap, BTreeSet},
    net::{IpAddr, SocketAddr},
    path::{Path, PathBuf},
    process::ExitCode,
    sync::Arc,
};

use anyhow::{Context, Result, bail};
use clap::{Args, Parser, Subcommand};

use super::{
    clock::Clock,
    config::{Config, Recogniser},
    demo::DemoCredentials,
    flows, people,
    serve::{self, Running},
    why,
};
use crate::{
    base::{CalendarId, TenantId, Wall, redact::Secret},
    center::settings::{Business, Settings, diff},
    ivr::{self, HoursState},
    store::{AuditEntry, Store},
};

/// A contact-center server: calls, chats and tickets through one routing core.
#[derive(Debug, Parser)]
#[command(name = "ringdesk", version, about, arg_required_else_help = true)]
struct Cli {
    #[command(subcommand)]
    command: Command,
}

#[derive(Debug, Subcommand)]
enum Command {
    /// Run the server.
    Serve {
        #[command(flatten)]
        process: Process,
        /// Fill an empty data folder with a shop to try everything with; credentials are made and printed once.
        #[arg(long)]
        demo: bool,
    },
    /// Check everything a start would read: process settings, flows, the business configuration in the store.
    Check {
        #[command(flatten)]
        process: Process,
    },
    /// Put a business configuration (YAML) in force; a running server takes it up within seconds.
    Apply {
        /// The file.
        file: PathBuf,
        /// Only show what would change.
        #[arg(long)]
        dry_run: bool,
        #[command(flatten)]
        process: Process,
    },
    /// Print the business configuration in force as YAML.
    Export {
        #[command(flatten)]
        process: Process,
    },
    /// Work on flow files.
    Flow {
        #[command(subcommand)]
        command: FlowCommand,
    },
    /// Process settings.
    Config {
        #[command(subcommand)]
        command: ConfigCommand,
    },
    /// Logins, for the first administrator of a house; the others are made in the administration.
    User {
        #[command(subcommand)]
        command: UserCommand,
    },
    /// Say why a call failed, or why there was no sound: which leg, which side, which step.
    Why {
        /// The contact's id.
        id: String,
        /// The tenant; all are looked through if absent.
        #[arg(long)]
        tenant: Option<String>,
        /// In Chinese.
        #[arg(long)]
        zh: bool,
        #[command(flatten)]
        process: Process,
    },
    /// Print the OpenAPI document of the REST interface and the event socket.
    Openapi,
    /// Print the version.
    Version,
}

#[derive(Debug, Subcommand)]
enum UserCommand {
    /// Make a login, or give one a new password. Passwords are made here and printed once.
    Add {
        /// The login name; for agents the id they have in the business configuration.
        login: String,
        /// The tenant.
        #[arg(long)]
        tenant: String,
        /// agent, supervisor or admin.
        #[arg(long, default_value = "agent")]
        role: String,
        #[command(flatten)]
        process: Process,
    },
}

#[derive(Debug, Subcommand)]
enum FlowCommand {
    /// Prove what can be proved about a flow before a customer finds out.
    Lint {
        /// Flow files; those of one folder know each other.
        #[arg(required = true)]
        files: Vec<PathBuf>,
        /// A business configuration whose queues, calendars and codes the flows must name rightly.
        #[arg(long)]
        business: Option<PathBuf>,
        /// Settings file, for the addresses flows may ask.
        #[arg(long, env = "RINGDESK_CONFIG", value_name = "FILE")]
        config: Option<PathBuf>,
        /// Beginnings of addresses flows may ask, as `[flows] http_allow` of the server has them.
        #[arg(long, value_name = "URL")]
        http_allow: Vec<String>,
    },
    /// Play the stories written in a flow.
    Test {
        /// Flow files.
        #[arg(required = true)]
        files: Vec<PathBuf>,
    },
    /// Draw a flow, for `dot -Tsvg`.
    Graph {
        /// A flow file.
        file: PathBuf,
    },
}

#[derive(Debug, Subcommand)]
enum ConfigCommand {
    /// Print the settings in force, without secrets.
    Print {
        #[command(flatten)]
        process: Process,
    },
}

/// Settings of the process. Each is also a key of `ringdesk.toml` and an environment variable.
#[derive(Debug, Args)]
struct Process {
    /// Settings file.
    #[arg(long, env = "RINGDESK_CONFIG", value_name = "FILE")]
    config: Option<PathBuf>,
    /// Folder for recordings, speech cache and the SQLite file.
    #[arg(long, env = "RINGDESK_DATA_DIR", value_name = "DIR")]
    data: Option<PathBuf>,
    /// `postgres://..` instead of SQLite.
    #[arg(long, env = "RINGDESK_DATA_DATABASE", value_name = "URL", hide_env_values = true)]
    database: Option<String>,
    /// SIP over UDP and TCP.
    #[arg(long, env = "RINGDESK_SIP_BIND", value_name = "A:P")]
    sip_bind: Option<SocketAddr>,
    /// SIP over TLS.
    #[arg(long, env = "RINGDESK_SIP_TLS", value_name = "A:P")]
    sip_tls: Option<SocketAddr>,
    /// What the world calls this machine, behind a NAT.
    #[arg(long, env = "RINGDESK_SIP_PUBLIC", value_name = "A")]
    sip_public: Option<IpAddr>,
    /// HTTP.
    #[arg(long, env = "RINGDESK_HTTP_BIND", value_name = "A:P")]
    http_bind: Option<SocketAddr>,
    /// HTTP and SIP over WebSocket, by TLS.
    #[arg(long, env = "RINGDESK_HTTP_TLS", value_name = "A:P")]
    http_tls: Option<SocketAddr>,
    /// RTP address.
    #[arg(long, env = "RINGDESK_MEDIA_BIND", value_name = "A")]
    media_bind: Option<IpAddr>,
    /// RTP ports.
    #[arg(long, env = "RINGDESK_MEDIA_RTP_PORTS", value_name = "LO-HI")]
    rtp_ports: Option<String>,
    /// Media threads; 0 for one per processor.
    #[arg(long, env = "RINGDESK_MEDIA_THREADS", value_name = "N")]
    media_threads: Option<usize>,
    /// A leg nothing is heard from for so many seconds is given up; 0 for never.
    #[arg(long, env = "RINGDESK_MEDIA_TIMEOUT_S", value_name = "S")]
    media_timeout: Option<u32>,
    /// Folder of flow files.
    #[arg(long, env = "RINGDESK_FLOWS_DIR", value_name = "DIR")]
    flows: Option<PathBuf>,
    /// What recognises speech.
    #[arg(long, env = "RINGDESK_SPEECH_RECOGNISER", value_name = "NAME", value_enum)]
    speech_recogniser: Option<Recogniser>,
    /// Its model.
    #[arg(long, env = "RINGDESK_SPEECH_MODEL", value_name = "FILE")]
    speech_model: Option<PathBuf>,
    /// Utterances recognised at once; 0 for one.
    #[arg(long, env = "RINGDESK_SPEECH_THREADS", value_name = "N")]
    speech_threads: Option<usize>,
}

impl Process {
    fn config(self) -> Result<Config> {
        let mut c = load_config(self.config)?;
        fn set<T>(to: &mut T, from: Option<T>) {
            if let Some(v) = from {
                *to = v;
            }
        }
        set(&mut c.data.dir, self.data);
        set(&mut c.sip.bind, self.sip_bind);
        set(&mut c.http.bind, self.http_bind);
        set(&mut c.media.rtp_ports, self.rtp_ports);
        set(&mut c.media.threads, self.media_threads);
        set(&mut c.media.timeout_s, self.media_timeout);
        c.data.database = self.database.or(c.data.database);
        c.sip.public = self.sip_public.or(c.sip.public);
        c.sip.tls = self.sip_tls.or(c.sip.tls);
        c.http.tls = self.http_tls.or(c.http.tls);
        c.media.bind = self.media_bind.or(c.media.bind);
        c.flows.dir = self.flows.or(c.flows.dir);
        c.speech.recogniser = self.speech_recogniser.or(c.speech.recogniser);
        c.speech.model = self.speech_model.or(c.speech.model);
        set(&mut c.speech.threads, self.speech_threads);
        c.rtp_ports()?;
        Ok(c)
    }
}

/// A file of that name in the folder we start in counts without being named.
fn load_config(file: Option<PathBuf>) -> Result<Config> {
    let implicit = PathBuf::from("ringdesk.toml");
    Config::load(file.or_else(|| implicit.exists().then_some(implicit)).as_deref())
}

/// Runs the program.
pub fn run() -> ExitCode {
    let cli = Cli::parse();
    let result = match cli.command {
        Command::Version => {
            println!("ringdesk {}", env!("CARGO_PKG_VERSION"));
            Ok(true)
        }
        Command::Openapi => {
            println!("{}", crate::api::openapi_json());
            Ok(true)
        }
        Command::Flow { command } => flow(command),
        Command::Config { command: ConfigCommand::Print { process } } => print_config(process),
        other => in_runtime(other),
    };
    match result {
        Ok(true) => ExitCode::SUCCESS,
        Ok(false) => ExitCode::FAILURE,
        Err(error) => {
            eprintln!("ringdesk: {error:#}");
            ExitCode::FAILURE
        }
    }
}

fn print_config(process: Process) -> Result<bool> {
    print!("{}", process.config()?.redacted()?);
    Ok(true)
}

fn in_runtime(command: Command) -> Result<bool> {
    let runtime = tokio::runtime::Builder::new_multi_thread().enable_all().build().context("cannot start the runtime")?;
    runtime.block_on(async {
        match command {
            Command::Serve { process, demo } => serve_until_told(&process.config()?, demo).await,
            Command::Check { process } => check(&process.config()?).await,
            Command::Apply { file, dry_run, process } => apply(&process.config()?, &file, dry_run).await,
            Command::Export { process } => export(&process.config()?).await,
            Command::User { command: UserCommand::Add { login, tenant, role, process } } => {
                people::add(&process.config()?, &tenant, &login, &role).await
            }
            Command::Why { id, tenant, zh, process } => why::tell(&process.config()?, &id, tenant.as_deref(), zh).await,
            Command::Version | Command::Openapi | Command::Flow { .. } | Command::Config { .. } => Ok(true),
        }
    })
}

fn log() {
    let filter = tracing_subscriber::EnvFilter::try_from_default_env().unwrap_or_else(|_| "info,sqlx=warn".into());
    // A second call (tests) finds the log already set up.
    let _ = tracing_subscriber::fmt().with_env_filter(filter).with_writer(std::io::stderr).try_init();
}

/// `RINGDESK_SECRET_NAME` holds the secret `name`.
fn secrets() -> BTreeMap<String, Secret> {
    let mine = |(k, v): (String, String)| Some((k.strip_prefix("RINGDESK_SECRET_")?.to_lowercase(), Secret::new(v)));
    std::env::vars().filter_map(mine).collect()
}

async fn serve_until_told(config: &Config, demo: bool) -> Result<bool> {
    log();
    let mut terminate = tokio::signal::unix::signal(tokio::signal::unix::SignalKind::terminate())?;
    let running = serve::start(config, demo, secrets()).await?;
    greet(config, &running, demo);
    tokio::select! {
        _ = tokio::signal::ctrl_c() => {}
        _ = terminate.recv() => {}
    }
    tracing::info!("stopping");
    running.stop().await;
    Ok(true)
}

fn greet(config: &Config, running: &Running, demo: bool) {
    let sip = running.sip.first().map(ToString::to_string).unwrap_or_default();
    let https = running.https.map(|at| format!(", https://{at}")).unwrap_or_default();
    println!("ringdesk {} is running: SIP {sip} (UDP and TCP), http://{}{https}", env!("CARGO_PKG_VERSION"), running.http);
    println!("data: {}   facts replayed: {}", config.data.dir.display(), running.replayed);
    if let Some(line) = config.recogniser_line() {
        println!("speech recognition: {line}");
    }
    if let Some(c) = &running.credentials {
        greet_demo(config, c);
    } else if demo {
        let file = config.data.dir.join("demo-credentials.json");
        println!("The demo is already here; its credentials are in {}", file.display());
    } else {
        println!("Empty? Start with --demo, or `ringdesk apply FILE` a business configuration.");
    }
}

fn greet_demo(config: &Config, c: &DemoCredentials) {
    println!(
        "\nThe demo shop is open. These credentials are shown once and kept in {}:",
        config.data.dir.join("demo-credentials.json").display()
    );
    println!("\n  Softphone   server {}   user / password:", c.sip);
    for (user, password) in &c.sip_passwords {
        println!("                {user:<8} {password}");
    }
    println!("  Browser     {}/   login / password:", c.http);
    for (user, password) in &c.users {
        println!("                {user:<8} {password}");
    }
    println!("  API key     {}", c.api_key);
    println!("\n  Call 4000 with any softphone (no registration needed): sip:4000@{}", c.sip);
    println!("  Chat as a visitor: {}/chat", c.http);
}

async fn check(config: &Config) -> Result<bool> {
    let flows = flows::load(config.flows.dir.as_deref())?;
    println!("flows: {}", flows.keys().map(ToString::to_string).collect::<Vec<_>>().join(", "));
    match config.recogniser_line() {
        Some(line) => {
            drop(config.recognisers(|| 0)?);
            println!("speech recognition: {line}: good");
        }
        None => println!("speech recognition: none"),
    }
    let store = Store::open(&config.store_place()).await.context("the database")?;
    let Some(latest) = store.config_latest().await? else {
        println!("business configuration: none yet (serve --demo, or apply FILE)");
        return Ok(true);
    };
    let business = Business::parse(&latest.yaml).map_err(|e| anyhow::anyhow!("version {}: {e}", latest.version))?;
    match Settings::compile(latest.version, business, &flows) {
        Ok(s) => {
            println!("business configuration: version {}, {} tenant(s): good", latest.version, s.tenants.len());
            Ok(true)
        }
        Err(problems) => {
            problems.iter().for_each(|p| println!("{p}"));
            Ok(false)
        }
    }
}

async fn apply(config: &Config, file: &Path, dry_run: bool) -> Result<bool> {
    let text = std::fs::read_to_string(file).with_context(|| format!("cannot read {}", file.display()))?;
    let business = Business::parse(&text).map_err(|e| anyhow::anyhow!("{}: {e}", file.display()))?;
    let flows = flows::load(config.flows.dir.as_deref())?;
    let yaml = business.to_yaml();
    if let Err(problems) = Settings::compile(0, business, &flows) {
        problems.iter().for_each(|p| eprintln!("{}: {p}", file.display()));
        return Ok(false);
    }
    config.make_data_dir()?;
    let store = Store::open(&config.store_place()).await.context("the database")?;
    let old = store.config_latest().await?.map(|v| v.yaml).unwrap_or_default();
    let changes = diff(&old, &yaml);
    if changes.is_empty() {
        println!("nothing changes");
        return Ok(true);
    }
    print!("{changes}");
    if !dry_run {
        let version = store.config_append(Clock::start().now().wall, "cli", &yaml).await?;
        // Each tenant reads in its own log what changed of its own.
        let (was, is) = (Business::parse(&old).unwrap_or_default(), Business::parse(&yaml).unwrap_or_default());
        let tenants: BTreeSet<_> = was.tenants.keys().chain(is.tenants.keys()).collect();
        for tenant in tenants {
            let only = |b: &Business| match b.tenants.get(tenant) {
                Some(t) => Business { tenants: [(tenant.clone(), t.clone())].into() }.to_yaml(),
                None => String::new(),
            };
            let own = diff(&only(&was), &only(&is));
            if !own.is_empty() {
                audit(&store, tenant, "config.apply", tenant.as_str(), Some(own)).await?;
            }
        }
        println!("version {version} is in the store; a running server takes it up within seconds");
    }
    Ok(true)
}

/// Notes in a tenant's audit log what was done from the command line.
pub(super) async fn audit(store: &Store, tenant: &TenantId, what: &str, subject: &str, after: Option<String>) -> Result<()> {
    let (at, who, what, subject) = (Clock::start().now().wall, "cli".to_owned(), what.to_owned(), subject.to_owned());
    let entry = AuditEntry { at, who, what, subject, before: None, after };
    store.audit_append(tenant, &entry).await.context("the audit log")
}

async fn export(config: &Config) -> Result<bool> {
    let store = Store::open(&config.store_place()).await.context("the database")?;
    match store.config_latest().await? {
        Some(v) => print!("{}", v.yaml),
        None => bail!("there is no business configuration yet: serve --demo, or apply FILE"),
    }
    Ok(true)
}

// ---- flows ----

/// Hours for tests and linting away from a server: stories say themselves what a calendar is, else it is open.
#[derive(Debug)]
struct AlwaysOpen;

impl ivr::Hours for AlwaysOpen {
    fn state(&self, _: &CalendarId, _: Wall) -> Option<HoursState> {
        Some(HoursState::Open)
    }
}

/// The flows named, and around them every flow of their folders (for `call`).
fn parse_flows(files: &[PathBuf]) -> Result<(Vec<Arc<ivr::Flow>>, ivr::Library)> {
    let mut library = flows::Flows::new();
    let dirs: BTreeSet<PathBuf> = files
        .iter()
        .filter_map(|f| f.parent())
        .map(|p| if p.as_os_str().is_empty() { ".".into() } else { p.to_path_buf() })
        .collect();
    for dir in dirs {
        library.extend(flows::load(Some(&dir)).unwrap_or_default());
    }
    let mut named = Vec::new();
    for file in files {
        let flow = ivr::Flow::parse(&file.display().to_string(), &flows::read(file)?).map_err(|e| anyhow::anyhow!("{e}"))?;
        let flow = Arc::new(flow);
        library.insert(flow.id.clone(), flow.clone());
        named.push(flow);
    }
    Ok((named, ivr::Library { flows: library, hours: Arc::new(AlwaysOpen), config: BTreeMap::new() }))
}

fn flow(command: FlowCommand) -> Result<bool> {
    match command {
        FlowCommand::Graph { file } => {
            let (named, _) = parse_flows(&[file])?;
            for f in named {
                print!("{}", ivr::graph(&f));
            }
            Ok(true)
        }
        FlowCommand::Test { files } => {
            let (named, library) = parse_flows(&files)?;
            let mut good = true;
            for f in named {
                let report = ivr::test::run(&f, &library);
                println!("{report}");
                good &= report.passed();
            }
            Ok(good)
        }
        FlowCommand::Lint { files, business, config, http_allow } => lint(&files, business.as_deref(), config, http_allow),
    }
}

fn lint(files: &[PathBuf], business: Option<&Path>, config: Option<PathBuf>, http_allow: Vec<String>) -> Result<bool> {
    let (named, library) = parse_flows(files)?;
    let mut urls = load_config(config)?.flows.http_allow;
    urls.extend(http_allow);
    if business.is_none() {
        urls.push(super::demo::SHOP_API.to_owned());
    }
    let text = match business {
        Some(p) => std::fs::read_to_string(p).with_context(|| format!("cannot read {}", p.display()))?,
        None => super::demo::BUSINESS.to_owned(),
    };
    let business = Business::parse(&text).map_err(|e| anyhow::anyhow!("{e}"))?;
    let dir = files.first().and_then(|f| f.parent()).map(Path::to_path_buf).unwrap_or_default();
    let mut good = true;
    for flow in &named {
        for tenant in business.tenants.values() {
            let prompt_file = |name: &str| flows::prompt_info(&dir.join(name));
            let catalog = ivr::Catalog { urls: urls.clone(), ..tenant.catalog(&prompt_file) };
            for finding in ivr::check(flow, &library, &catalog) {
                println!("{finding}");
                good &= finding.severity != ivr::Severity::Error;
            }
        }
    }
    if good {
        println!("{} flow(s): nothing that would keep them from running", named.len());
    }
    Ok(good)
}
