//! Process settings: defaults, then `ringdesk.toml`, then environment, then flags. Unknown keys are refused; secrets are not
//! shown when printed.

use std::{
    net::{IpAddr, SocketAddr},
    ops::RangeInclusive,
    path::{Path, PathBuf},
};

use anyhow::{Context, Result, bail};
use serde::{Deserialize, Serialize};

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
}

/// `[sip]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Sip {
    /// Address and port for UDP and TCP. Default `0.0.0.0:5060`.
    pub bind: SocketAddr,
    /// What the world calls that address, where it is another (behind a NAT).
    pub public: Option<IpAddr>,
    /// Phones are offered a digest by SHA-256 before the one by MD5. Off: phones of before RFC 8760 (baresip 1.x) refuse both.
    pub digest_sha256: bool,
}

/// `[http]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Http {
    /// Address and port. Default `0.0.0.0:8080`.
    pub bind: SocketAddr,
    /// The pages are reached over https (a proxy in front): cookies are marked secure.
    pub https: bool,
    /// Addresses the pages are reached under besides the `Host` of the request: `https://desk.example`.
    pub origins: Vec<String>,
}

/// `[media]`
#[derive(Debug, Clone, Deserialize, Serialize)]
#[serde(deny_unknown_fields, default)]
pub struct Media {
    /// Address RTP ports are bound on; the SIP address if absent.
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
        Sip { bind: SocketAddr::from(([0, 0, 0, 0], 5060)), public: None, digest_sha256: false }
    }
}

impl Default for Http {
    fn default() -> Self {
        Http { bind: SocketAddr::from(([0, 0, 0, 0], 8080)), https: false, origins: Vec::new() }
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
mod tests {
    use super::*;

    #[test]
    fn a_misspelt_key_is_refused_with_its_name() {
        let e = toml::from_str::<Config>("[sip]\nbnid = \"0.0.0.0:5060\"\n").unwrap_err().to_string();
        assert!(e.contains("bnid") && e.contains("bind"), "{e}");
    }

    #[test]
    fn a_printed_configuration_shows_no_password() {
        let mut c = Config::default();
        c.data.database = Some("postgres://ring:geheim@db.local/ring".into());
        let text = c.redacted().unwrap();
        assert!(text.contains("postgres://ring:***@db.local/ring") && !text.contains("geheim"), "{text}");
    }

    #[test]
    fn a_new_data_folder_is_nobody_elses_business() {
        use std::os::unix::fs::PermissionsExt as _;
        let outer = tempfile::tempdir().unwrap();
        let mut c = Config::default();
        c.data.dir = outer.path().join("data");
        c.make_data_dir().unwrap();
        assert_eq!(std::fs::metadata(&c.data.dir).unwrap().permissions().mode() & 0o777, 0o700);
    }

    #[test]
    fn a_range_without_a_pair_is_refused_by_name() {
        let mut c = Config::default();
        for bad in ["20000-10000", "10-20", "x", "10000", "5000-5000"] {
            c.media.rtp_ports = bad.into();
            assert!(c.rtp_ports().unwrap_err().to_string().contains("media.rtp_ports"), "{bad}");
        }
        c.media.rtp_ports = "5000-5001".into();
        assert_eq!(c.rtp_ports().unwrap(), 5000..=5001);
    }
}
