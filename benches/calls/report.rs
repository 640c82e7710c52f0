//! Raw lines as they come, and the table at the end.

use std::{
    fmt::Write as _,
    fs::File,
    io::{self, Write},
    path::{Path, PathBuf},
};

use crate::{
    engine::Work,
    measure::{Highest, Row, Sample},
    plot, proc, registrations,
    sip::Outcome,
};

/// See the module.
#[derive(Debug)]
pub struct Report {
    folder: PathBuf,
    raw: File,
    /// Round and sample.
    samples: Vec<(usize, Sample)>,
    probes: Vec<Sample>,
    /// What was measured for its delays, and at what load.
    delays: Vec<(String, Sample)>,
    highest: Vec<(Row, Highest)>,
    calls: Vec<Outcome>,
    /// What the Opus library itself takes for an encoding and a decoding, microseconds.
    opus_us: Option<f64>,
}

/// What a row's time per packet is held against: another row of the same round, and at most how many times that.
fn goals(row: Row) -> &'static [(Row, f64)] {
    const RELAY: Row = Row::Ours(Work::Relay);
    match row {
        RELAY => &[(Row::Floor, 1.35), (Row::Rtpengine, 0.6)],
        Row::Ours(Work::Record) => &[(RELAY, 1.5)],
        Row::Ours(Work::OtherLaw) => &[(RELAY, 1.2)],
        Row::Ours(Work::Srtp) => &[(RELAY, 1.6)],
        Row::Ours(Work::Browser) => &[(RELAY, 4.0)],
        Row::Ours(Work::Play | Work::Hold) => &[(RELAY, 0.7)],
        Row::Ours(Work::Whisper | Work::Opus) | Row::Floor | Row::Rtpengine => &[],
    }
}

impl Report {
    pub fn new(folder: &Path) -> io::Result<Self> {
        let raw = File::create(folder.join("raw.jsonl"))?;
        Ok(Self {
            folder: folder.into(),
            raw,
            samples: Vec::new(),
            probes: Vec::new(),
            delays: Vec::new(),
            highest: Vec::new(),
            calls: Vec::new(),
            opus_us: None,
        })
    }

    /// One measurement of a round.
    pub fn sample(&mut self, round: usize, s: Sample) -> io::Result<()> {
        self.line(&format!("\"round\":{round}"), &s)?;
        self.samples.push((round, s));
        Ok(())
    }

    /// What the Opus library itself takes for one encoding and one decoding, microseconds.
    pub fn opus(&mut self, us: f64) -> io::Result<()> {
        println!("{{\"row\":\"libopus\",\"encode_and_decode_us\":{us:.2}}}");
        writeln!(self.raw, "{{\"row\":\"libopus\",\"encode_and_decode_us\":{us:.2}}}")?;
        self.opus_us = Some(us);
        Ok(())
    }

    /// One step of a search.
    pub fn probe(&mut self, s: &Sample) -> io::Result<()> {
        self.line("\"probe\":true", s)?;
        self.probes.push(s.clone());
        Ok(())
    }

    /// A measurement made for its delays.
    pub fn delay(&mut self, load: &str, s: Sample) -> io::Result<()> {
        self.line(&format!("\"at\":\"{load}\""), &s)?;
        self.delays.push((load.to_owned(), s));
        Ok(())
    }

    /// What a search found.
    pub fn highest(&mut self, row: Row, h: Highest) {
        self.highest.push((row, h));
    }

    /// Calls set up and ended.
    pub fn calls(&mut self, o: Outcome) -> io::Result<()> {
        let p = |p| o.setup.percentile(p).map_or("null".into(), |ms| format!("{ms:.3}"));
        let calls = o.plan.calls.max(1) as f64;
        let worked = o.threads.iter().filter(|(_, d)| d.cpu_ns > 0).map(|(name, d)| {
            let (us, waits) = (d.cpu_ns as f64 / 1e3 / calls, d.waits as f64 / calls);
            format!("\"{name}\":{{\"cpu_us_per_call\":{us:.1},\"waits_per_call\":{waits:.2}}}")
        });
        let worked = worked.collect::<Vec<_>>().join(",");
        let line = format!(
            "{{\"row\":\"calls\",\"rate\":{},\"calls\":{},\"failed\":{},\"given_up\":{},\"sent_again\":{},\"cpu_ms_per_call\":{:.3},\
             \"core\":{:.3},\"setup_ms\":{{\"p50\":{},\"p99\":{},\"max\":{:.3}}},\"rss_before\":{},\"rss_meanwhile\":{:?},\"rss_after\":{},\"rss_rested\":{},\"refusal\":\"{}\",\"threads\":{{{worked}}}}}",
            o.plan.rate,
            o.plan.calls,
            o.failed,
            o.given_up,
            o.again,
            o.per_call_ms(),
            o.cpu_ns as f64 / o.took_ns as f64,
            p(50.0),
            p(99.0),
            o.setup.max(),
            o.rss.0,
            o.rss_meanwhile,
            o.rss.1,
            o.rss_rested.map_or("null".into(), |b| b.to_string()),
            o.refusal.as_deref().unwrap_or_default(),
        );
        println!("{line}");
        writeln!(self.raw, "{line}")?;
        self.calls.push(o);
        Ok(())
    }

    /// Phones that stayed registered, and idle connections.
    pub fn registrations(&mut self, o: &registrations::Outcome) -> io::Result<()> {
        let p = |p| o.answer.percentile(p).map_or("null".into(), |ms| format!("{ms:.3}"));
        let line = format!(
            "{{\"row\":\"registrations\",\"bindings\":{},\"rate\":{},\"refreshed\":{},\"challenged\":{},\"sent_again\":{},\"core\":{:.4},\
             \"cpu_us_each\":{:.1},\"answer_ms\":{{\"p50\":{},\"p99\":{},\"max\":{:.3}}},\"rss_before\":{},\"rss_registered\":{},\
             \"connections\":{},\"rss_connected\":{},\"load\":{:.2}}}",
            o.bindings,
            o.rate,
            o.refreshed,
            o.challenged,
            o.again,
            o.core(),
            o.cpu_ns as f64 / 1e3 / o.refreshed.max(1) as f64,
            p(50.0),
            p(99.0),
            o.answer.max(),
            o.rss_before,
            o.rss_registered,
            o.connections,
            o.rss_connected,
            proc::load_average(),
        );
        println!("{line}");
        writeln!(self.raw, "{line}")
    }

    fn line(&mut self, which: &str, s: &Sample) -> io::Result<()> {
        let m = &s.m;
        let delay = |p| m.delay.percentile(p).map_or("null".into(), |ms| format!("{ms:.3}"));
        let line = format!(
            "{{\"row\":\"{}\",{which},\"calls\":{},\"packets\":{},\"cpu_us_per_packet\":{:.3},\"core\":{:.4},\
             \"rss_per_call\":{:.0},\"loss\":{:.6},\"delay_ms\":{{\"p50\":{},\"p99\":{},\"max\":{:.3}}},\"late\":{},\
             \"load\":{:.2}}}",
            s.row.name(),
            s.calls,
            m.heard,
            m.per_packet_us(),
            m.core(),
            s.rss_per_call,
            m.loss(),
            delay(50.0),
            delay(99.0),
            m.delay.max(),
            m.late,
            s.load,
        );
        println!("{line}");
        writeln!(self.raw, "{line}")
    }

    fn of(&self, row: Row) -> impl Iterator<Item = &Sample> {
        self.samples.iter().map(|(_, s)| s).filter(move |s| s.row == row)
    }

    fn median(&self, row: Row, figure: impl Fn(&Sample) -> f64) -> Option<f64> {
        median(self.of(row).map(figure).collect())
    }

    /// A guess for the search.
    pub fn calls_that_fill_a_core(&self, row: Row) -> Option<usize> {
        self.median(row, |s| s.calls as f64 / s.m.core()).map(|n| n as usize)
    }

    /// Time per packet against another row's, round by round; their median.
    fn ratio(&self, row: Row, base: Row) -> Option<f64> {
        let in_round = |row, round| self.samples.iter().find(|(r, s)| *r == round && s.row == row).map(|(_, s)| s);
        let rounds = self.samples.iter().filter(|(_, s)| s.row == row);
        median(rounds.filter_map(|(round, s)| Some(s.m.per_packet_us() / in_round(base, *round)?.m.per_packet_us())).collect())
    }

    /// The table and the picture.
    pub fn finish(self) -> io::Result<()> {
        let table = self.table();
        println!("\n{table}");
        std::fs::write(self.folder.join("table.md"), &table)?;
        let bars: Vec<(&str, f64)> =
            Row::ALL.into_iter().filter_map(|row| Some((row.name(), self.median(row, |s| s.m.per_packet_us())?))).collect();
        let curve = |row: Row| {
            let all = self.of(row).chain(self.probes.iter().filter(|s| s.row == row));
            let mut points: Vec<(f64, f64)> = all.filter_map(|s| Some((s.calls as f64, s.m.delay.percentile(99.0)?))).collect();
            points.sort_by(|a, b| a.0.total_cmp(&b.0));
            (row.name(), points)
        };
        let curves: Vec<_> = Row::SEARCHED.into_iter().map(curve).filter(|(_, points)| !points.is_empty()).collect();
        std::fs::write(self.folder.join("calls.svg"), plot::svg(&bars, &curves))
    }

    fn table(&self) -> String {
        let mut t = format!(
            "{}. Medians of {} rounds; `bench-calls` on one processor, the server on the other.\n\n",
            proc::machine(),
            self.samples.iter().map(|s| s.0 + 1).max().unwrap_or(0)
        );
        t.push_str(
            "| | calls | CPU per packet | of a core per call | against (at most) | RSS per call | loss | delay p50 / p99 / max | most calls that held |\n\
             |---|---|---|---|---|---|---|---|---|\n",
        );
        for row in Row::ALL {
            let Some(us) = self.median(row, |s| s.m.per_packet_us()) else { continue };
            let first = self.of(row).next().expect("a row with a median has a sample");
            let mut against: Vec<String> = goals(row)
                .iter()
                .filter_map(|(base, most)| Some(format!("{:.2} x {} ({most})", self.ratio(row, *base)?, base.name())))
                .collect();
            // Of the two packets of a call one is encoded and the other decoded.
            if row == Row::Ours(Work::Opus)
                && let (Some(opus), Some(relay)) = (self.opus_us, self.median(Row::Ours(Work::Relay), |s| s.m.per_packet_us()))
            {
                against.push(format!("{:.2} x (relay + {opus:.0} us of libopus for two) (1.25)", us / (relay + opus / 2.0)));
            }
            if row == Row::Ours(Work::Whisper) {
                against.push("(30 us)".into());
            }
            let ms = |p: f64| self.median(row, |s| s.m.delay.percentile(p).unwrap_or(f64::NAN)).filter(|v| v.is_finite());
            let delay = match (ms(50.0), ms(99.0)) {
                (Some(p50), Some(p99)) => {
                    let max = self.of(row).map(|s| s.m.delay.max()).fold(0.0, f64::max);
                    format!("{p50:.2} / {p99:.2} / {max:.1} ms")
                }
                _ => String::new(),
            };
            let held = self.highest.iter().find(|h| h.0 == row).map_or(String::new(), |(_, h)| {
                format!("{}{}", h.calls, if h.limited_by_us { " (then the generator's own limit)" } else { "" })
            });
            // Writing to a string does not fail.
            let _ = writeln!(
                t,
                "| {} | {} | {us:.2} us | {:.3} % | {} | {:.1} KiB | {:.3} % | {delay} | {held} |",
                row.name(),
                first.calls,
                self.median(row, |s| s.m.core() / s.calls as f64 * 100.0).unwrap_or(0.0),
                against.join(", "),
                self.median(row, |s| s.rss_per_call / 1024.0).unwrap_or(0.0),
                self.median(row, |s| s.m.loss() * 100.0).unwrap_or(0.0),
            );
        }
        if !self.delays.is_empty() {
            t += "\n| delay at | | calls | of the core | loss | p50 / p99 / max |\n|---|---|---|---|---|---|\n";
        }
        for (load, s) in &self.delays {
            let ms = |p| s.m.delay.percentile(p).unwrap_or(f64::NAN);
            let (core, loss) = (s.m.core() * 100.0, s.m.loss() * 100.0);
            let (p50, p99, max) = (ms(50.0), ms(99.0), s.m.delay.max());
            let name = s.row.name();
            let _ = writeln!(
                t,
                "| {load} | {name} | {} | {core:.0} % | {loss:.3} % | {p50:.2} / {p99:.2} / {max:.1} ms |",
                s.calls
            );
        }
        if !self.calls.is_empty() {
            t += "\n| calls a second | calls | failed | CPU per call | of the core | set-up p50 / p99 / max | RSS before, after, at rest |\n\
                  |---|---|---|---|---|---|---|\n";
        }
        for o in &self.calls {
            let ms = |p| o.setup.percentile(p).unwrap_or(f64::NAN);
            let mb = |bytes: u64| bytes as f64 / f64::from(1 << 20);
            let _ = writeln!(
                t,
                "| {} | {} | {} | {:.2} ms | {:.0} % | {:.1} / {:.1} / {:.1} ms | {:.0}, {:.0}{} MiB |",
                o.plan.rate,
                o.plan.calls,
                o.failed,
                o.per_call_ms(),
                o.cpu_ns as f64 / o.took_ns as f64 * 100.0,
                ms(50.0),
                ms(99.0),
                o.setup.max(),
                mb(o.rss.0),
                mb(o.rss.1),
                o.rss_rested.map_or(String::new(), |b| format!(", {:.0}", mb(b))),
            );
        }
        t
    }
}

fn median(mut values: Vec<f64>) -> Option<f64> {
    values.sort_by(f64::total_cmp);
    values.get(values.len() / 2).copied()
}
