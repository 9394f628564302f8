//! The event log's plain words: what happened to the nodes, and what it means for the reader.

use std::collections::{BTreeMap, BTreeSet};

use crate::address::NodeAddress;
use crate::mesh::{Node, Standing};

/// How a line is meant.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Tone {
    /// Nothing to worry about.
    Plain,
    /// Something good.
    Good,
    /// Something is lost or wrong.
    Bad,
}

/// One line of the log.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Line {
    /// How it is meant.
    pub tone: Tone,
    /// What it says.
    pub text: String,
}

impl Line {
    /// A line.
    pub fn new(tone: Tone, text: impl Into<String>) -> Self {
        Self { tone, text: text.into() }
    }
}

/// A node that this page holds a session with.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Host {
    /// Where it is.
    pub address: NodeAddress,
    /// What it is called.
    pub name: String,
}

/// Remembers what was said, so that two sources of the same news do not both tell it.
#[derive(Clone, Debug, Default)]
pub struct Narrator {
    hosts: Vec<Host>,
    lost: Option<String>,
    standings: BTreeMap<String, Standing>,
    told_down: BTreeSet<String>,
}

impl Narrator {
    /// The page's sessions are now with these nodes, and `calls` calls are going on.
    pub fn sessions(&mut self, hosts: Vec<Host>, calls: usize) -> Option<Line> {
        let before = std::mem::replace(&mut self.hosts, hosts);
        let has = |list: &[Host], host: &Host| list.iter().any(|h| h.address == host.address);
        let lost: Vec<String> =
            before.iter().filter(|h| !has(&self.hosts, h)).map(|h| h.name.clone()).collect();
        let gained = self.hosts.iter().any(|h| !has(&before, h));
        for host in &self.hosts {
            self.told_down.remove(&host.name);
        }
        self.told_down.extend(lost.iter().cloned());

        let here = all_of(self.hosts.iter().map(|h| h.name.as_str()));
        if !lost.is_empty() {
            let gone = all_of(lost.iter().map(String::as_str));
            let are = if lost.len() == 1 { "is" } else { "are" };
            if self.hosts.is_empty() {
                self.lost = Some(format!("{gone} {are} down"));
                return Some(bad(format!("Lost {gone}, looking for another node."), calls));
            }
            let place = if gained { format!("on {here} now") } else { format!("still on {here}") };
            return Some(bad(format!("{gone} {are} down; you are {place}."), calls));
        }
        if !gained {
            return None;
        }
        Some(match self.lost.take() {
            Some(lost) => Line::new(Tone::Good, with_calls(format!("{lost}; you are on {here} now."), calls)),
            None => Line::new(Tone::Good, format!("You are on {here}.")),
        })
    }

    /// A node was looked at.
    pub fn looked_at(&mut self, node: &Node) -> Option<Line> {
        let name = &node.name;
        let before = self.standings.insert(name.clone(), node.standing).unwrap_or_default();
        match (before, node.standing) {
            (Standing::Up | Standing::Unknown, Standing::Down) if self.told_down.insert(name.clone()) => {
                Some(Line::new(Tone::Bad, format!("{name} is down.")))
            }
            (Standing::Down, Standing::Up) if self.told_down.remove(name) => {
                Some(Line::new(Tone::Good, format!("{name} is up again.")))
            }
            _ => None,
        }
    }
}

fn bad(text: String, calls: usize) -> Line {
    Line::new(Tone::Bad, with_calls(text, calls))
}

/// Calls go from browser to browser: nodes may die under them.
fn with_calls(text: String, calls: usize) -> String {
    match calls {
        0 => text,
        1 => text + " The call goes on.",
        _ => text + " The calls go on.",
    }
}

/// Words with commas and an "and".
pub fn all_of<'a>(words: impl Iterator<Item = &'a str>) -> String {
    let words: Vec<_> = words.collect();
    match words.split_last() {
        Some((last, [])) => (*last).to_owned(),
        Some((last, rest)) => format!("{} and {last}", rest.join(", ")),
        None => "no node".to_owned(),
    }
}

#[cfg(test)]
mod tests {
    use super::*;

    fn hosts(numbers: &[u8]) -> Vec<Host> {
        let host = |n| {
            Some(Host {
                address: NodeAddress::parse(&format!("http://localhost:{n}"))?,
                name: format!("node-{n}"),
            })
        };
        numbers.iter().filter_map(host).collect()
    }

    fn node(n: u8, standing: Standing) -> Node {
        let Host { address, name } = hosts(&[n]).remove(0);
        Node { name, address, region: None, standing }
    }

    fn said(line: Option<Line>) -> String {
        line.map(|l| l.text).unwrap_or_default()
    }

    #[test]
    fn a_session_that_moves_is_told_as_one_story() {
        let mut narrator = Narrator::default();
        assert_eq!(said(narrator.sessions(hosts(&[2]), 0)), "You are on node-2.");
        assert_eq!(said(narrator.sessions(hosts(&[2]), 1)), "");
        assert_eq!(
            said(narrator.sessions(vec![], 1)),
            "Lost node-2, looking for another node. The call goes on."
        );
        assert_eq!(
            said(narrator.sessions(hosts(&[3]), 1)),
            "node-2 is down; you are on node-3 now. The call goes on."
        );
    }

    #[test]
    fn losing_one_of_two_sessions_is_no_drama() {
        let mut narrator = Narrator::default();
        assert_eq!(said(narrator.sessions(hosts(&[1, 2]), 0)), "You are on node-1 and node-2.");
        assert_eq!(
            said(narrator.sessions(hosts(&[1]), 2)),
            "node-2 is down; you are still on node-1. The calls go on."
        );
        assert_eq!(said(narrator.sessions(hosts(&[1, 3]), 2)), "You are on node-1 and node-3.");
        assert_eq!(
            said(narrator.sessions(hosts(&[3, 4]), 0)),
            "node-1 is down; you are on node-3 and node-4 now."
        );
    }

    #[test]
    fn no_news_is_told_twice() {
        let mut narrator = Narrator::default();
        narrator.sessions(hosts(&[1, 2]), 0);
        assert_eq!(narrator.looked_at(&node(2, Standing::Up)), None);
        narrator.sessions(hosts(&[1]), 0);
        assert_eq!(narrator.looked_at(&node(2, Standing::Down)), None, "the session told it");
        assert_eq!(said(narrator.looked_at(&node(2, Standing::Up))), "node-2 is up again.");
        assert_eq!(said(narrator.looked_at(&node(3, Standing::Down))), "node-3 is down.");
        assert_eq!(narrator.looked_at(&node(3, Standing::Down)), None);
    }
}
