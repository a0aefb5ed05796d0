//! What a server and its children have used: processor time and memory, as the kernel counts them.

use std::{collections::HashMap, fs};

use anyhow::{Context, Result};

use crate::process::{command, output};

/// A process with all its descendants.
#[derive(Clone, Copy)]
pub struct Tree {
    pid: u32,
    ticks_per_second: f64,
}

/// The kernel's unit of processor time.
pub fn ticks_per_second() -> Result<f64> {
    let ticks = output(command("getconf").arg("CLK_TCK"))?;
    ticks.trim().parse().context("`getconf CLK_TCK` did not print a number")
}

impl Tree {
    pub fn of(pid: u32, ticks_per_second: f64) -> Self {
        Self { pid, ticks_per_second }
    }

    /// Time spent so far, also by children that have ended since: a database's workers come and go with their
    /// connections, and the kernel adds what they used to their parent when it has waited for them.
    pub fn cpu_seconds(&self) -> Result<f64> {
        let stats = self.stats()?;
        let ticks: u64 = stats.iter().map(|stat| stat.own + stat.waited_for).sum();
        Ok(ticks as f64 / self.ticks_per_second)
    }

    pub fn resident_bytes(&self) -> Result<u64> {
        let mut bytes = 0;
        for stat in self.stats()? {
            let status = fs::read_to_string(format!("/proc/{}/status", stat.pid)).unwrap_or_default();
            bytes += resident(&status).unwrap_or(0);
        }
        Ok(bytes)
    }

    fn stats(&self) -> Result<Vec<Stat>> {
        let mut all = HashMap::new();
        for entry in fs::read_dir("/proc").context("reading /proc")? {
            let name = entry.context("reading /proc")?.file_name();
            let Some(pid) = name.to_str().and_then(|name| name.parse::<u32>().ok()) else {
                continue;
            };
            // It may have ended since the directory was read.
            let Ok(text) = fs::read_to_string(format!("/proc/{pid}/stat")) else {
                continue;
            };
            let stat = Stat::parse(pid, &text);
            all.insert(pid, stat.with_context(|| format!("/proc/{pid}/stat has an unknown form"))?);
        }
        all.get(&self.pid).with_context(|| format!("the measured process {} has ended", self.pid))?;
        Ok(all.values().filter(|stat| descends(stat.pid, self.pid, &all)).copied().collect())
    }
}

/// Time that our own children used, of those that have ended: what the load generator costs.
pub fn ended_children_seconds(ticks_per_second: f64) -> Result<f64> {
    let text = fs::read_to_string("/proc/self/stat").context("reading /proc/self/stat")?;
    let stat = Stat::parse(std::process::id(), &text).context("/proc/self/stat has an unknown form")?;
    Ok(stat.waited_for as f64 / ticks_per_second)
}

#[derive(Clone, Copy, Debug, PartialEq, Eq)]
struct Stat {
    pid: u32,
    parent: u32,
    own: u64,
    waited_for: u64,
}

impl Stat {
    fn parse(pid: u32, text: &str) -> Option<Self> {
        // The second field is the program's name in parentheses, and the name may hold spaces and parentheses.
        let (_, rest) = text.rsplit_once(')')?;
        let fields: Vec<&str> = rest.split_whitespace().collect();
        let number = |index: usize| fields.get(index)?.parse::<u64>().ok();
        Some(Self {
            pid,
            parent: u32::try_from(number(1)?).ok()?,
            own: number(11)? + number(12)?,
            waited_for: number(13)? + number(14)?,
        })
    }
}

fn descends(pid: u32, from: u32, all: &HashMap<u32, Stat>) -> bool {
    let mut at = pid;
    // Numbers are used again, so a snapshot could in theory hold a circle: no tree is this deep.
    for _ in 0..64 {
        if at == from {
            return true;
        }
        match all.get(&at) {
            Some(stat) => at = stat.parent,
            None => return false,
        }
    }
    false
}

fn resident(status: &str) -> Option<u64> {
    let line = status.lines().find_map(|line| line.strip_prefix("VmRSS:"))?;
    let kibibytes: u64 = line.trim().strip_suffix("kB")?.trim().parse().ok()?;
    Some(kibibytes * 1024)
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn times_are_found_behind_any_name() {
        let text = "42 (a) b (c) S 7 42 42 0 -1 4194304 100 200 0 0 30 12 5 4 20 0 3 0 999 1000 200";
        let stat = Stat::parse(42, text).expect("it has all fields");
        assert_eq!(stat, Stat { pid: 42, parent: 7, own: 42, waited_for: 9 });
        assert_eq!(Stat::parse(42, "42 (a) S 7"), None);
        assert_eq!(Stat::parse(42, ""), None);
    }

    #[test]
    fn grandchildren_belong_to_the_tree() {
        let stat = |pid, parent| (pid, Stat { pid, parent, own: 0, waited_for: 0 });
        let all = HashMap::from([stat(1, 0), stat(10, 1), stat(11, 10), stat(12, 11), stat(20, 1)]);
        assert!(descends(10, 10, &all));
        assert!(descends(12, 10, &all));
        assert!(!descends(20, 10, &all));
        assert!(!descends(1, 10, &all));
        let circle = HashMap::from([stat(2, 3), stat(3, 2)]);
        assert!(!descends(2, 10, &circle));
    }

    #[test]
    fn memory_is_read_from_the_status() {
        assert_eq!(resident("Name:\tx\nVmRSS:\t    1234 kB\n"), Some(1234 * 1024));
        assert_eq!(resident("Name:\tkthreadd\n"), None);
    }
}
