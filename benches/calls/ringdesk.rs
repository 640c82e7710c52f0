//! The whole server: the release program with a business of its own in an empty folder. Calls come in by a carrier, wait in
//! a queue until an agent's phone is rung, are bridged, and put on record.

use std::{
    fs::{self, File},
    io,
    net::{Ipv4Addr, SocketAddrV4, TcpListener, UdpSocket},
    path::{Path, PathBuf},
    process::{Command, Stdio},
};

use crate::{
    http::{Api, text_of},
    server::{Places, Process, local},
    sip::Phones,
};

/// Agents, each with a phone.
const AGENTS: usize = 250;
/// How often a starting server is asked whether it is there.
const ASKED: usize = 200;
/// The number that leads to the queue.
pub const NUMBER: &str = "4000";

/// A running server and the phones that call through it.
#[derive(Debug)]
pub struct Ringdesk {
    process: Process,
    pub phones: Phones,
}

/// The program beside this one, if it was built.
pub fn program() -> Option<PathBuf> {
    let path = std::env::current_exe().ok()?.with_file_name("ringdesk");
    path.exists().then_some(path)
}

impl Ringdesk {
    /// With agents and their phones, all ready. `folder` is emptied first.
    pub fn start(program: &Path, folder: &Path, places: Places) -> io::Result<Self> {
        let (mut it, api, _) = Self::bare(program, folder, places, "")?;
        it.staff(&api)?;
        Ok(it)
    }

    /// With nobody in it, and these process settings (TOML); the way to tell it its business, and where its pages are.
    pub fn bare(program: &Path, folder: &Path, places: Places, settings: &str) -> io::Result<(Self, Api, SocketAddrV4)> {
        match fs::remove_dir_all(folder) {
            Err(e) if e.kind() != io::ErrorKind::NotFound => return Err(e),
            _ => fs::create_dir_all(folder)?,
        }
        let (sip, http) = (local(free_port()?), local(free_port()?));
        let phones = Phones::new(sip)?;
        let data = folder.join("data");
        let file = folder.join("ringdesk.toml");
        fs::write(&file, settings)?;
        let mut command = Command::new(program);
        command
            .args(["serve", "--demo", "--data"])
            .arg(&data)
            .arg("--config")
            .arg(&file)
            .args(["--sip-bind", &sip.to_string(), "--http-bind", &http.to_string(), "--media-threads", "1"])
            .args(["--rtp-ports", "10000-32000"])
            .stdin(Stdio::null())
            .stdout(Stdio::null())
            .stderr(File::create(folder.join("server.log"))?);
        let mut it = Self { process: Process::start(&mut command, places)?, phones };
        it.wait(folder)?;
        let credentials = fs::read_to_string(data.join("demo-credentials.json"))?;
        let key = text_of(&credentials, "api_key").ok_or_else(|| io::Error::other("no key among the credentials"))?;
        Ok((it, Api::new(http, key.to_owned()), http))
    }

    /// Where it speaks SIP.
    pub fn sip(&self) -> SocketAddrV4 {
        self.phones.server()
    }

    pub fn pid(&self) -> u32 {
        self.process.pid()
    }

    fn wait(&mut self, folder: &Path) -> io::Result<()> {
        for _ in 0..ASKED {
            if self.phones.is_there()? {
                return Ok(());
            }
            if matches!(self.process.0.try_wait(), Ok(Some(_))) {
                break;
            }
        }
        Err(io::Error::other(format!("ringdesk does not answer: see {}", folder.join("server.log").display())))
    }

    /// The business, a login and a phone for each agent, and everybody ready.
    fn staff(&mut self, api: &Api) -> io::Result<()> {
        api.ask("PUT", "/api/v1/config", "application/yaml", &business(self.phones.caller_port()?))?;
        for n in 0..AGENTS {
            let user = api.json("POST", "/api/v1/users", &format!("{{\"login\":\"a{n}\",\"role\":\"agent\"}}"))?;
            let password = text_of(&user, "sip_password").ok_or_else(|| io::Error::other(user.clone()))?;
            self.phones.register(&format!("a{n}"), password)?;
            api.json("POST", &format!("/api/v1/agents/a{n}/sign-in"), "{}")?;
            api.json("PUT", &format!("/api/v1/agents/a{n}/state"), "{\"state\":\"ready\"}")?;
        }
        Ok(())
    }
}

fn business(caller: u16) -> String {
    let agents: String = (0..AGENTS).map(|n| format!("        a{n}: {{name: A{n}, queues: [desk]}}\n")).collect();
    format!(
        "tenants:
  demo:
    name: Bench
    language: en-US
    country: \"1\"
    trunks:
      carrier: {{host: \"127.0.0.1:{caller}\"}}
    routing:
      queues:
        desk: {{name: Desk, ring_s: 20, wrap_up_s: 0}}
      agents:
{agents}    routes:
      - {{match: \"{NUMBER}\", to: {{queue: desk}}, from: trunks}}
    recording: never
"
    )
}

/// A business of so many agents nobody calls.
pub fn registrants(users: usize) -> String {
    let agents: String = (0..users).map(|n| format!("        a{n}: {{name: A{n}, queues: [desk]}}\n")).collect();
    format!(
        "tenants:\n  demo:\n    name: Bench\n    language: en-US\n    routing:\n      queues:\n        desk: {{name: Desk}}\n      agents:\n{agents}"
    )
}

/// One that is free at this moment for both UDP and TCP.
fn free_port() -> io::Result<u16> {
    let tcp = TcpListener::bind((Ipv4Addr::LOCALHOST, 0))?;
    let port = tcp.local_addr()?.port();
    UdpSocket::bind((Ipv4Addr::LOCALHOST, port))?;
    Ok(port)
}
