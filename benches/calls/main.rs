//! What a call costs: plays both sides of many calls over real UDP on one processor against a server on another.
//!
//!     make bench-calls                                  all of it, about a quarter of an hour
//!     target/release/bench-calls --quick                a minute
//!     target/release/bench-calls --only registrations   two minutes
//!     target/release/bench-calls --only relay,floor --calls 500 --window 5
//!
//! | file | what lives there |
//! |---|---|
//! | `load` | the phones: packets out on time, packets in counted and timed |
//! | `browser` | a browser's checks and handshake |
//! | `stamp`, `voice` | who sent a packet and when, in its sound; sound that means nothing |
//! | `server`, `floor`, `rtpengine`, `engine` | whoever serves: a bare loop, the Debian package, our media engine |
//! | `sip`, `http`, `ringdesk` | calls set up and ended, and the whole program that does it |
//! | `registrations` | phones that only stay registered, connections nothing happens on |
//! | `measure` | one measurement: a server, so many calls, a window; and the search for the most that hold |
//! | `report`, `plot` | raw lines, the table, the picture |
//! | `proc`, `sys` | what the system says of a process; datagrams by the batch |
//!
//! Every measurement starts its server anew. Rows are measured in turn, several rounds of all of them, and ratios are taken
//! within a round: this machine in this minute, never against another day.
#![allow(clippy::print_stdout, reason = "this is a program that reports")]

mod browser;
mod desks;
mod engine;
mod floor;
mod http;
mod load;
mod measure;
mod plot;
mod proc;
mod registrations;
mod report;
mod ringdesk;
mod rtpengine;
mod server;
mod sip;
mod stamp;
mod sys;
mod voice;

use std::{io, io::Write, path::PathBuf, process::ExitCode, time::Duration};

use engine::Work;
use load::{Exchange, Length};
use measure::{Bench, Row};
use server::Places;

/// What was asked for.
#[derive(Debug)]
struct Options {
    calls: usize,
    rounds: usize,
    window: Duration,
    only: Option<Vec<String>>,
    capacity: bool,
    /// Calls a second made through the whole server, one run each.
    rates: Vec<usize>,
    /// Calls of the last run of the whole server.
    soak: Option<usize>,
    /// How many of them a second; else the highest of `rates` that had no failure.
    soak_rate: Option<usize>,
    /// Phones that stay registered.
    bindings: usize,
    /// Connections nothing happens on.
    connections: usize,
    out: PathBuf,
}

/// Registrations refreshed a second.
const REFRESH_RATE: usize = 500;
/// The refreshing of registrations is watched at least so long: each of them comes once.
const REFRESHED: Duration = Duration::from_secs(40);

const HELP: &str = "usage: bench-calls [--quick] [--calls N] [--rounds N] [--window SECONDS] [--only ROW,ROW] [--no-capacity] [--rates N,N] [--soak N] [--soak-rate N] [--no-soak] [--bindings N] [--connections N] [--out DIR]";

fn options() -> Result<Options, String> {
    let mut o = Options {
        calls: 300,
        rounds: 5,
        window: Duration::from_secs(4),
        only: None,
        capacity: true,
        rates: vec![100, 250, 500, 750, 1_000],
        soak: Some(100_000),
        soak_rate: None,
        bindings: 20_000,
        connections: 10_000,
        out: "target/bench-calls".into(),
    };
    let mut words = std::env::args().skip(1);
    while let Some(word) = words.next() {
        let mut value = || words.next().ok_or(format!("{word} needs a value"));
        let number = |v: String| v.parse::<usize>().ok().filter(|n| *n > 0).ok_or(format!("`{v}` is not a number"));
        match &*word {
            "--quick" => (o.rounds, o.window, o.capacity, o.soak) = (1, Duration::from_secs(2), false, None),
            "--calls" => o.calls = number(value()?)?,
            "--rounds" => o.rounds = number(value()?)?,
            "--window" => o.window = Duration::from_secs(number(value()?)? as u64),
            "--only" => o.only = Some(value()?.split(',').map(str::to_owned).collect()),
            "--no-capacity" => o.capacity = false,
            "--rates" => o.rates = value()?.split(',').map(|n| number(n.to_owned())).collect::<Result<_, _>>()?,
            "--soak" => o.soak = Some(number(value()?)?),
            "--soak-rate" => o.soak_rate = Some(number(value()?)?),
            "--no-soak" => o.soak = None,
            "--bindings" => o.bindings = number(value()?)?,
            "--connections" => o.connections = number(value()?)?,
            "--out" => o.out = value()?.into(),
            _ => return Err(HELP.into()),
        }
    }
    Ok(o)
}

fn main() -> ExitCode {
    let done = match std::env::args().nth(1).as_deref() {
        Some("floor") => floor::serve(),
        Some("engine") => engine::serve(),
        _ => match options() {
            Ok(o) => run(&o),
            Err(why) => {
                eprintln!("{why}");
                return ExitCode::from(2);
            }
        },
    };
    match done {
        Ok(()) => ExitCode::SUCCESS,
        Err(e) => {
            eprintln!("bench-calls: {e}");
            ExitCode::FAILURE
        }
    }
}

/// A line to whoever commands this process, at once.
fn say(line: &str) {
    let mut out = io::stdout().lock();
    // Nobody reads any more: the end of the input will tell.
    let _ = writeln!(out, "{line}").and_then(|()| out.flush());
}

fn run(o: &Options) -> io::Result<()> {
    let processors = proc::processors()?;
    let [server, .., ours] = processors[..] else { return Err(io::Error::other("two processors are needed")) };
    let places = Places { server, ours };
    proc::pin(ours)?;
    // Two sockets a call and process; what the system allows will do.
    let limit = rustix::process::getrlimit(rustix::process::Resource::Nofile);
    let most = rustix::process::Rlimit { current: limit.maximum, maximum: limit.maximum };
    rustix::process::setrlimit(rustix::process::Resource::Nofile, most)?;
    std::fs::create_dir_all(&o.out)?;
    let bench = Bench { exchange: Exchange::open()?, places, files: o.out.join("recordings") };
    let length = Length { warm: Duration::from_secs(1), window: o.window };
    let wanted = |r: &Row| o.only.as_ref().is_none_or(|only| only.iter().any(|w| w == r.name()));
    let mut rows = Vec::new();
    for row in Row::ALL.into_iter().filter(wanted) {
        match bench.can(row)? {
            Some(base) => rows.push((row, base)),
            None => println!("{} is left out: it is not installed, or cannot be done", row.name()),
        }
    }
    let mut report = report::Report::new(&o.out)?;
    if rows.iter().any(|r| r.0 == Row::Ours(Work::Opus)) {
        report.opus(voice::opus_us()?)?;
    }
    for round in 0..o.rounds {
        for (row, base) in &rows {
            if let Some(sample) = bench.measure(*row, *base, row.calls(o.calls), length)? {
                report.sample(round, sample)?;
            }
        }
    }
    if o.only.as_ref().is_none_or(|only| only.iter().any(|w| w == "calls")) {
        calls_per_second(o, places, &mut report)?;
    }
    if o.only.as_ref().is_none_or(|only| only.iter().any(|w| w == "registrations"))
        && let Some(program) = ringdesk::program()
    {
        let (folder, window) = (o.out.join("registrar"), o.window.max(REFRESHED));
        let outcome = registrations::measure(&program, &folder, places, (o.bindings, REFRESH_RATE), window, o.connections)?;
        std::fs::remove_dir_all(folder)?;
        report.registrations(&outcome)?;
    }
    if o.capacity {
        delays(&bench, &rows, length, &mut report)?;
        for (row, base) in rows.iter().filter(|r| Row::SEARCHED.contains(&r.0)) {
            let Some(start) = report.calls_that_fill_a_core(*row) else { continue };
            let search = bench.highest((*row, *base), start, |s| report.probe(s))?;
            report.highest(*row, search);
        }
    }
    report.finish()
}

/// How long packets take with the server's processor at 60 %, and whether recording a thousand calls makes them take longer.
fn delays(bench: &Bench, rows: &[(Row, u64)], length: Length, report: &mut report::Report) -> io::Result<()> {
    const RECORDED: Row = Row::Ours(Work::Record);
    for (row, base) in rows.iter().filter(|r| r.0 == RECORDED || Row::SEARCHED.contains(&r.0)) {
        let Some(full) = report.calls_that_fill_a_core(*row) else { continue };
        if let Some(s) = bench.measure(*row, *base, full * 6 / 10, length)? {
            report.delay("60 % of the core", s)?;
        }
    }
    for (row, base) in rows.iter().filter(|r| r.0 == RECORDED || r.0 == Row::Ours(Work::Relay)) {
        if let Some(s) = bench.measure(*row, *base, 1_000, length)? {
            report.delay("1,000 calls", s)?;
        }
    }
    Ok(())
}

/// Calls set up and ended by the whole server, faster and faster; at the end very many, to see what is left behind.
fn calls_per_second(o: &Options, places: Places, report: &mut report::Report) -> io::Result<()> {
    let Some(program) = ringdesk::program() else { return Ok(()) };
    let folder = o.out.join("server");
    let mut server = ringdesk::Ringdesk::start(&program, &folder, places)?;
    let pid = server.pid();
    let hold = Duration::from_millis(100);
    // What every process takes for its first calls is no part of any figure.
    server.phones.run(sip::Plan { rate: 100, calls: 200, hold }, pid)?;
    let seconds = o.window.as_secs() as usize;
    let mut best = o.rates.first().copied().unwrap_or(100);
    for &rate in &o.rates {
        let outcome = server.phones.run(sip::Plan { rate, calls: rate * seconds, hold }, pid)?;
        if outcome.failed == 0 {
            best = rate;
        }
        report.calls(outcome)?;
    }
    // As fast as all of them succeed, for some minutes at most; and what is left when all is over.
    if let Some(calls) = o.soak {
        server.phones.rest(pid)?;
        let best = o.soak_rate.unwrap_or(best);
        let mut outcome = server.phones.run(sip::Plan { rate: best, calls: calls.min(best * 400), hold }, pid)?;
        outcome.rss_rested = Some(server.phones.rest(pid)?);
        report.calls(outcome)?;
    }
    drop(server);
    std::fs::remove_dir_all(folder)
}
