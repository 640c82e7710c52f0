//! The program itself, started on ports of the system's choice, to be asked, told, and killed.

use std::{
    io::{BufRead as _, BufReader, Read as _},
    net::SocketAddr,
    path::Path,
    process::{Child, Command, Output, Stdio},
    sync::{Arc, Mutex},
};

use ringdesk::app::DemoCredentials;

use super::Desk;

/// A running `ringdesk serve --demo`.
pub struct Program {
    child: Child,
    pub at: SocketAddr,
    pub sip: SocketAddr,
    pub demo: DemoCredentials,
    /// What it printed and logged so far.
    pub log: Arc<Mutex<String>>,
}

/// The program, with no settings of whoever runs the tests.
pub fn ringdesk() -> Command {
    let mut c = Command::new(env!("CARGO_BIN_EXE_ringdesk"));
    for (name, _) in std::env::vars().filter(|(n, _)| n.starts_with("RINGDESK_") || n == "RUST_LOG") {
        c.env_remove(name);
    }
    c
}

/// Runs a command to its end: exit code 0 or not, what it printed, what it complained about.
pub fn run(args: &[&str]) -> (bool, String, String) {
    let Output { status, stdout, stderr } = ringdesk().args(args).output().unwrap();
    (status.success(), String::from_utf8(stdout).unwrap(), String::from_utf8(stderr).unwrap())
}

impl Program {
    /// Starts it on a folder and waits until it says where it listens.
    pub fn starts(dir: &Path) -> Program {
        Self::starts_with(dir, &[])
    }

    /// With more arguments.
    pub fn starts_with(dir: &Path, more: &[&str]) -> Program {
        let mut child = ringdesk()
            .args(["serve", "--demo", "--sip-bind", "127.0.0.1:0", "--http-bind", "127.0.0.1:0", "--media-threads", "1"])
            .arg("--data")
            .arg(dir)
            .args(more)
            .stdout(Stdio::piped())
            .stderr(Stdio::piped())
            .spawn()
            .unwrap();
        let log = Arc::new(Mutex::new(String::new()));
        let (mut errors, kept) = (child.stderr.take().unwrap(), log.clone());
        std::thread::spawn(move || {
            let mut part = [0; 4_096];
            while let Ok(n @ 1..) = errors.read(&mut part) {
                kept.lock().unwrap().push_str(&String::from_utf8_lossy(&part[..n]));
            }
        });
        let mut lines = BufReader::new(child.stdout.take().unwrap()).lines();
        // "ringdesk 0.1.0 is running: SIP 127.0.0.1:5060 (UDP and TCP), http://127.0.0.1:8080"
        let first = match lines.next() {
            Some(Ok(line)) if line.contains("is running") => line,
            other => panic!("it did not start: {other:?}\n{}", log.lock().unwrap()),
        };
        let sip = first.split("SIP ").nth(1).unwrap().split(' ').next().unwrap().parse().unwrap();
        let at = first.rsplit("http://").next().unwrap().split(',').next().unwrap().trim().parse().unwrap();
        let kept = log.clone();
        std::thread::spawn(move || {
            lines.map_while(Result::ok).for_each(|l| kept.lock().unwrap().push_str(&(l + "\n")));
        });
        let text = std::fs::read_to_string(dir.join("demo-credentials.json")).unwrap();
        Program { child, at, sip, demo: serde_json::from_str(&text).unwrap(), log }
    }

    /// Waits until the log says something.
    pub async fn logs(&self, words: &str) {
        let waiting = async {
            while !self.log.lock().unwrap().contains(words) {
                tokio::task::yield_now().await;
            }
        };
        let told = tokio::time::timeout(super::PATIENCE, waiting).await;
        assert!(told.is_ok(), "`{words}` is not in the log:\n{}", self.log.lock().unwrap());
    }

    /// `kill -9`.
    pub fn killed(mut self) {
        self.child.kill().unwrap();
        self.child.wait().unwrap();
    }

    /// SIGTERM, and the end of it; true when it left with code 0.
    pub fn stops(mut self) -> bool {
        Command::new("kill").args(["-TERM", &self.child.id().to_string()]).status().unwrap();
        self.child.wait().unwrap().success()
    }

    pub async fn desk(&self, login: &str) -> Desk {
        Desk::signs_in(self.at, login, &self.demo.users[login]).await
    }

    pub fn key(&self) -> Desk {
        Desk::with_key(self.at, &self.demo.api_key)
    }
}

impl Drop for Program {
    fn drop(&mut self) {
        // Gone already when the test got that far.
        let _ = self.child.kill();
        let _ = self.child.wait();
    }
}
