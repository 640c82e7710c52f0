//! The torture messages of RFC 4475 and 5118 over real connections, each cut in two at every byte: what is read never depends on
//! where the network cuts.
//!
//! That the first part is read before the second is sent is made sure by a message on another connection, written after it and
//! seen before the second is.

use std::{collections::BTreeMap, net::SocketAddr, path::PathBuf};

use tokio::{
    io::{AsyncReadExt, AsyncWriteExt},
    net::TcpStream,
    sync::mpsc::{UnboundedReceiver, unbounded_channel},
};

use super::{
    tests::{LOOPBACK, options},
    *,
};

/// Connections at once.
const AT_ONCE: usize = 200;

/// A net that hands up whatever comes.
struct Ear {
    net: Net,
    events: UnboundedReceiver<NetEvent>,
    /// What was read, in order, by the connection: the door and the far side. Two connections to different doors may have the
    /// same port at the far side.
    heard: BTreeMap<(SocketAddr, SocketAddr), Vec<String>>,
    /// Writes what is known to have been read once it is seen.
    marker: TcpStream,
    marks: usize,
}

impl Ear {
    async fn opens() -> Ear {
        // Several listeners: a closed connection keeps its pair of ports for a minute.
        let mut config = NetConfig::new(Vec::new(), vec![LOOPBACK; 8]);
        (config.streams_max, config.streams_per_ip) = (10_000, 10_000);
        let (tx, events) = unbounded_channel();
        let net = Net::start(config, move |event| tx.send(event).map_err(|e| e.0)).unwrap();
        let marker = TcpStream::connect(net.tcp_addrs()[0]).await.unwrap();
        marker.set_nodelay(true).unwrap();
        Ear { net, events, heard: BTreeMap::new(), marker, marks: 0 }
    }

    fn hears(&mut self, event: NetEvent) {
        if let NetEvent::Received { message, source } = event {
            self.heard.entry((source.local, source.remote)).or_default().push(format!("{message:?}"));
        }
    }

    /// Everything written before this has been read.
    async fn catches_up(&mut self) {
        self.marks += 1;
        let me = ends(&self.marker);
        self.marker.write_all(&options(&format!("mark{}", self.marks), "")).await.unwrap();
        while self.heard.get(&me).map_or(0, Vec::len) < self.marks {
            let event = tests::patiently(self.events.recv()).await.expect("the net lives");
            self.hears(event);
        }
    }

    /// What is read of each of these streams, given in two parts and ended.
    async fn reads(&mut self, streams: &[(&[u8], &[u8])]) -> Vec<Vec<String>> {
        let doors = self.net.tcp_addrs();
        let mut open = Vec::new();
        for (n, (first, _)) in streams.iter().enumerate() {
            let mut stream = TcpStream::connect(doors[n % doors.len()]).await.unwrap();
            stream.set_nodelay(true).unwrap();
            // What is reset later has no ends any more.
            let ends = ends(&stream);
            stream.write_all(first).await.unwrap();
            open.push((ends, stream));
        }
        self.catches_up().await;
        for ((_, stream), (_, second)) in open.iter_mut().zip(streams) {
            // It may be closed already: the first part was nonsense.
            let _ = stream.write_all(second).await;
            let _ = stream.shutdown().await;
        }
        let mut from = Vec::new();
        for (ends, mut stream) in open {
            from.push(ends);
            // The other side closes once it has read everything, or it has reset the connection.
            let _ = tests::patiently(stream.read_to_end(&mut Vec::new())).await;
        }
        while let Ok(event) = self.events.try_recv() {
            self.hears(event);
        }
        from.iter().map(|at| self.heard.remove(at).unwrap_or_default()).collect()
    }
}

/// The two ends of a connection of ours, as the net sees them.
fn ends(stream: &TcpStream) -> (SocketAddr, SocketAddr) {
    (stream.peer_addr().unwrap(), stream.local_addr().unwrap())
}

#[tokio::test]
async fn every_torture_message_cut_at_every_byte_of_a_real_connection_is_read_as_if_it_were_whole() {
    let dir = PathBuf::from(env!("CARGO_MANIFEST_DIR")).join("tests/data/torture");
    let index: serde_json::Value = serde_json::from_slice(&std::fs::read(dir.join("index.json")).unwrap()).unwrap();
    let mut ear = Ear::opens().await;
    let (mut cuts, mut read) = (0, 0);
    for case in index["messages"].as_array().unwrap() {
        let file = case["file"].as_str().unwrap();
        let data = std::fs::read(dir.join(file)).unwrap();
        let whole = ear.reads(&[(&data, b"")]).await.remove(0);
        read += usize::from(!whole.is_empty());
        let at: Vec<usize> = (1..data.len()).collect();
        for batch in at.chunks(AT_ONCE) {
            let streams: Vec<_> = batch.iter().map(|cut| data.split_at(*cut)).collect();
            for (cut, got) in batch.iter().zip(ear.reads(&streams).await) {
                assert_eq!(got, whole, "{file} cut at {cut}");
                cuts += 1;
            }
        }
    }
    assert!(cuts > 30_000 && read > 60, "{cuts} cuts, {read} read");
}
