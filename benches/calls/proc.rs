//! What the system says of a process: the time its threads ran, the memory it holds; and which processor we run on.

use std::{collections::BTreeMap, fs, io};

use rustix::thread::{CpuSet, sched_getaffinity, sched_setaffinity};

/// Nanoseconds the threads of `pid` have run so far, in user and kernel mode. Threads that ended are no longer in it.
pub fn cpu_ns(pid: u32) -> io::Result<u64> {
    let mut sum = 0;
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        // A thread may end between the two.
        let Ok(text) = fs::read_to_string(task?.path().join("schedstat")) else { continue };
        sum += text.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0);
    }
    Ok(sum)
}

/// What the threads of one name have done so far.
#[derive(Debug, Clone, Copy, Default)]
pub struct Done {
    /// Run time, nanoseconds.
    pub cpu_ns: u64,
    /// How often they had nothing more to do, and with it how often they were woken. Does not depend on what else the machine
    /// does, or hardly.
    pub waits: u64,
}

/// Of `pid`, by the names of its threads.
pub fn threads(pid: u32) -> io::Result<BTreeMap<String, Done>> {
    let mut all = BTreeMap::<String, Done>::new();
    for task in fs::read_dir(format!("/proc/{pid}/task"))? {
        let task = task?.path();
        // A thread may end meanwhile.
        let read = |file| fs::read_to_string(task.join(file)).unwrap_or_default();
        let (name, times, status) = (read("comm"), read("schedstat"), read("status"));
        let number = |text: Option<&str>| text.and_then(|n| n.trim().parse::<u64>().ok()).unwrap_or(0);
        let of_name = all.entry(name.trim().to_owned()).or_default();
        of_name.cpu_ns += number(times.split_whitespace().next());
        of_name.waits += number(status.lines().find_map(|l| l.strip_prefix("voluntary_ctxt_switches:")));
    }
    Ok(all)
}

/// Bytes of memory `pid` holds.
pub fn rss(pid: u32) -> io::Result<u64> {
    let text = fs::read_to_string(format!("/proc/{pid}/status"))?;
    let line = text.lines().find_map(|l| l.strip_prefix("VmRSS:")).unwrap_or_default();
    Ok(line.split_whitespace().next().and_then(|n| n.parse::<u64>().ok()).unwrap_or(0) * 1024)
}

/// Processors this process may run on.
pub fn processors() -> io::Result<Vec<usize>> {
    let set = sched_getaffinity(None)?;
    Ok((0..CpuSet::MAX_CPU).filter(|n| set.is_set(*n)).collect())
}

/// Run on this processor only, and whoever is started from now on, too.
pub fn pin(processor: usize) -> io::Result<()> {
    let mut set = CpuSet::new();
    set.set(processor);
    Ok(sched_setaffinity(None, &set)?)
}

/// The mean number of processes that wanted to run in the last minute.
pub fn load_average() -> f64 {
    fs::read_to_string("/proc/loadavg").ok().and_then(|t| t.split_whitespace().next()?.parse().ok()).unwrap_or(0.0)
}

/// Processor and kernel, for whoever reads the figures.
pub fn machine() -> String {
    let read = |path| fs::read_to_string(path).unwrap_or_default();
    let cpus = read("/proc/cpuinfo");
    let model = cpus.lines().find(|l| l.starts_with("model name")).and_then(|l| l.split_once(':')).map_or("", |m| m.1.trim());
    let count = cpus.lines().filter(|l| l.starts_with("processor")).count();
    format!("{count} x {model}, Linux {}", read("/proc/sys/kernel/osrelease").trim())
}
