//! A whole server for walks: in this process on ports of the system's choice, or the program itself, to be killed.
//!
//! Nothing here sleeps: everything waits for an event, and gives up loudly after [`PATIENCE`].

pub mod authority;
pub mod browser;
pub mod desk;
pub mod outward;
pub mod phone;
pub mod program;
pub mod visitor;

use std::{collections::BTreeMap, net::SocketAddr, path::Path, time::Duration};

use ringdesk::{
    app::{Config, DemoCredentials, Running},
    base::redact::Secret,
};
use serde_json::Value;
use tokio::net::TcpStream;
use tokio_tungstenite::{
    MaybeTlsStream, WebSocketStream,
    tungstenite::{self, client::IntoClientRequest as _},
};

pub use desk::{Desk, Events};
pub use program::Program;
pub use visitor::Visitor;

/// Nothing in a walk waits longer.
pub const PATIENCE: Duration = Duration::from_secs(60);

/// A WebSocket of ours.
pub type Socket = WebSocketStream<MaybeTlsStream<TcpStream>>;

/// A server in this process, with the demo shop in an empty folder.
pub struct House {
    pub dir: tempfile::TempDir,
    pub at: SocketAddr,
    /// SIP over UDP.
    pub sip: SocketAddr,
    /// All of SIP, UDP then TCP.
    pub spoken: Vec<SocketAddr>,
    pub demo: DemoCredentials,
    running: Running,
}

/// Settings for a server that touches nothing but its folder and loopback.
pub fn settings(dir: &Path) -> Config {
    let mut c = Config::default();
    c.data.dir = dir.to_path_buf();
    c.sip.bind = ([127, 0, 0, 1], 0).into();
    c.http.bind = ([127, 0, 0, 1], 0).into();
    c.media.threads = 1;
    c
}

impl House {
    pub async fn opens() -> House {
        Self::opens_with(|_| {}).await
    }

    /// With other settings.
    pub async fn opens_with(change: impl FnOnce(&mut Config)) -> House {
        Self::opens_knowing(BTreeMap::new(), change).await
    }

    /// With secrets, too.
    pub async fn opens_knowing(secrets: BTreeMap<String, Secret>, change: impl FnOnce(&mut Config)) -> House {
        let dir = tempfile::tempdir().unwrap();
        let mut config = settings(dir.path());
        change(&mut config);
        let running = ringdesk::app::start(&config, true, secrets).await.unwrap();
        let demo = running.credentials.clone().expect("the folder was empty");
        House { dir, at: running.http, sip: running.sip[0], spoken: running.sip.clone(), demo, running }
    }

    /// Somebody of the demo signs in.
    pub async fn desk(&self, login: &str) -> Desk {
        Desk::signs_in(self.at, login, &self.demo.users[login]).await
    }

    /// A program with the demo's API key.
    pub fn key(&self) -> Desk {
        Desk::with_key(self.at, &self.demo.api_key)
    }

    pub async fn closes(self) {
        self.running.stop().await;
    }
}

/// An HTTP client; the crypto library wants its provider named although nothing here is encrypted.
pub fn http() -> reqwest::Client {
    let _ = rustls::crypto::ring::default_provider().install_default(); // somebody else was first: just as good
    reqwest::Client::builder().timeout(PATIENCE).build().unwrap()
}

/// Opens a WebSocket; the status when it is refused.
pub async fn socket(at: SocketAddr, path: &str, headers: &[(&str, &str)]) -> Result<Socket, u16> {
    let mut request = format!("ws://{at}{path}").into_client_request().unwrap();
    for (name, value) in headers {
        let name = tungstenite::http::HeaderName::try_from(*name).unwrap();
        request.headers_mut().insert(name, value.parse().unwrap());
    }
    match tokio::time::timeout(PATIENCE, tokio_tungstenite::connect_async(request)).await.expect("a handshake ends") {
        Ok((socket, _)) => Ok(socket),
        Err(tungstenite::Error::Http(response)) => Err(response.status().as_u16()),
        Err(e) => panic!("{path}: {e}"),
    }
}

/// The next frame as JSON; `Err` with the close code, 0 for a broken line.
pub async fn hear(socket: &mut Socket) -> Result<Value, u16> {
    use futures_util::StreamExt as _;
    loop {
        match tokio::time::timeout(PATIENCE, socket.next()).await.expect("a frame within the patience") {
            Some(Ok(tungstenite::Message::Text(text))) => return Ok(serde_json::from_str(&text).unwrap()),
            Some(Ok(tungstenite::Message::Close(frame))) => return Err(frame.map_or(0, |f| f.code.into())),
            Some(Ok(_)) => {}
            Some(Err(_)) | None => return Err(0),
        }
    }
}

/// Sends one frame.
pub async fn say(socket: &mut Socket, frame: Value) {
    use futures_util::SinkExt as _;
    socket.send(tungstenite::Message::Text(frame.to_string().into())).await.unwrap();
}
