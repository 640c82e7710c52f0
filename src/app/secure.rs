//! TLS for the house: where the certificate comes from, the https listener, and an eye on how long it is good for.

use std::{net::SocketAddr, sync::Arc, time::Duration};

use anyhow::{Context, Result};
use axum::{Router, serve::ListenerExt as _};
use tokio::{
    net::{TcpListener, TcpStream},
    sync::{mpsc, watch},
    time::timeout,
};
use tokio_rustls::{TlsAcceptor, server::TlsStream};

use super::{business::outward_ip, clock::Clock, config::Config};
use crate::{
    api,
    base::{limits, secs},
    net::{Tls, WARN_DAYS, self_signed},
};

/// How often the files are looked at.
const LOOK_EVERY: Duration = secs(10);
/// Handshakes under way at once; the next connection waits in the kernel.
const HANDSHAKES_MAX: usize = 256;

/// The certificate, made on the spot if nobody gave one. None when nothing speaks TLS.
pub fn open(config: &Config) -> Result<Option<Arc<Tls>>> {
    let Some((files, ours)) = config.tls_files()? else { return Ok(None) };
    if ours {
        let ips = [config.sip.public, outward_ip(false), outward_ip(true)].into_iter().flatten();
        let mut names: Vec<String> = vec!["localhost".into(), "127.0.0.1".into(), "::1".into()];
        names.extend(ips.map(|ip| ip.to_string()));
        names.dedup();
        self_signed(&files, names).context("tls")?;
        tracing::info!(cert = %files.cert.display(), "no certificate is configured: phones and browsers must be told to trust ours");
    }
    Ok(Some(Arc::new(Tls::load(files).context("tls")?)))
}

/// How the certificate is. One that has ended is trouble; one that is about to is a matter for the log and the metrics.
pub fn health(tls: &Tls, clock: Clock) -> api::Component {
    let left_s = tls.expires_unix_s() - clock.now().wall.timestamp().as_second();
    let detail = if left_s > 0 { format!("good for {} days", left_s / 86_400) } else { "has ended".to_owned() };
    api::Component { name: "certificate".into(), ok: left_s > 0, detail }
}

/// Takes up a new certificate when its files change, and says when the one in force is about to end: to the log, and to
/// supervisors by `alarm`, which is told what to say, or nothing where all is well. Never returns.
pub async fn watch(tls: Arc<Tls>, clock: Clock, alarm: impl Fn(Option<String>) + Send) {
    let (mut complained, mut warned, mut quiet) = (None, None, false);
    loop {
        match tls.reload() {
            Ok(true) => {
                (complained, warned) = (None, None);
                tracing::info!(expires_unix_s = tls.expires_unix_s(), "a new certificate is in force");
            }
            Ok(false) => complained = None,
            // Files are replaced one after the other: what does not fit now may in a moment. Said once.
            Err(error) => {
                let text = error.to_string();
                if complained.as_ref() != Some(&text) {
                    tracing::error!(error = %text, "the changed certificate is not taken; the one before stays in force");
                    complained = Some(text);
                }
            }
        }
        let left_s = tls.expires_unix_s() - clock.now().wall.timestamp().as_second();
        let due = WARN_DAYS.into_iter().filter(|days| left_s < days * 86_400).min();
        if due != warned {
            warned = due;
            match due {
                Some(_) if left_s <= 0 => tracing::error!("the TLS certificate has ended: nobody will trust this server"),
                Some(days) => tracing::error!(left_h = left_s / 3600, "the TLS certificate ends in less than {days} days"),
                None => {}
            }
        }
        let message = due.map(|_| match left_s {
            ..=0 => "The TLS certificate has ended: phones and browsers do not trust this server.".to_owned(),
            _ => format!("The TLS certificate ends in {} days.", left_s / 86_400),
        });
        // Said again and again while it lasts: a tenant may have come meanwhile. That it is over, once; also at the start, for
        // the one before may have been mended while nobody looked.
        if message.is_some() || !quiet {
            quiet = message.is_none();
            alarm(message);
        }
        tokio::time::sleep(LOOK_EVERY).await;
    }
}

/// Where https is spoken. Handshakes happen beside each other, so that a peer that never finishes one keeps nobody waiting.
pub struct Listener {
    ready: mpsc::Receiver<(TlsStream<TcpStream>, SocketAddr)>,
    local: SocketAddr,
    /// Dropped with us; the accepting task sees that and ends.
    _stop: watch::Sender<()>,
}

impl Listener {
    /// Binds and begins to accept.
    pub async fn bind(addr: SocketAddr, tls: Arc<Tls>) -> Result<Listener> {
        let listener = TcpListener::bind(addr).await.with_context(|| format!("cannot listen on {addr}"))?;
        let local = listener.local_addr()?;
        let (done, ready) = mpsc::channel(HANDSHAKES_MAX);
        let (stop, mut stopped) = watch::channel(());
        tokio::spawn(async move {
            let turns = Arc::new(tokio::sync::Semaphore::new(HANDSHAKES_MAX));
            loop {
                let Ok(turn) = turns.clone().acquire_owned().await else { return };
                let (stream, remote) = tokio::select! {
                    _ = stopped.changed() => return,
                    accepted = listener.accept() => match accepted {
                        Ok(pair) => pair,
                        // Out of file descriptors, mostly: wait for some to come free.
                        Err(error) => {
                            tracing::warn!(%local, %error, "accepting an https connection failed");
                            tokio::time::sleep(Duration::from_millis(50)).await;
                            continue;
                        }
                    },
                };
                let (acceptor, done) = (TlsAcceptor::from(tls.server()), done.clone());
                tokio::spawn(async move {
                    let _turn = turn;
                    if let Ok(Ok(stream)) = timeout(limits::SIP_STREAM_STALL, acceptor.accept(stream)).await {
                        // Nobody takes it any more when the server stops.
                        let _ = done.send((stream, remote)).await;
                    }
                });
            }
        });
        Ok(Listener { ready, local, _stop: stop })
    }

    /// The address bound.
    pub fn address(&self) -> SocketAddr {
        self.local
    }

    /// Serves pages on it until it is stopped.
    pub async fn serve(self, pages: Router) {
        let service = pages.into_make_service_with_connect_info::<SocketAddr>();
        // The tap does nothing: a tapped listener is what the library takes the address of any kind of connection from.
        if let Err(error) = axum::serve(self.tap_io(|_| {}), service).await {
            tracing::error!(%error, "https is not served any more");
        }
    }
}

impl axum::serve::Listener for Listener {
    type Io = TlsStream<TcpStream>;
    type Addr = SocketAddr;

    async fn accept(&mut self) -> (Self::Io, Self::Addr) {
        match self.ready.recv().await {
            Some(ready) => ready,
            // The accepting task lives as long as we do.
            None => std::future::pending().await,
        }
    }

    fn local_addr(&self) -> std::io::Result<Self::Addr> {
        Ok(self.local)
    }
}
