//! The nodes: three native ones and a serverless one, and what breaks them.

use std::io;

use crate::{Place, Program, TestNode};

use super::Fault;
#[cfg(target_os = "linux")]
use crate::wires::{Room, Weather, Wires};

const NATIVE: usize = 3;

/// The nodes of one fault.
pub(super) struct Stage {
    fault: Fault,
    /// The native ones first.
    pub(super) nodes: Vec<TestNode>,
    #[cfg(target_os = "linux")]
    wires: Option<(Wires, Vec<Room>)>,
}

impl Stage {
    pub(super) async fn set(fault: Fault, only_native: bool) -> io::Result<Self> {
        let mut places = vec![Place::Loopback; NATIVE + 1];
        #[cfg(target_os = "linux")]
        let mut wires = None;
        #[cfg(target_os = "linux")]
        if fault.needs_wires() {
            let (laid, rooms) = Wires::lay(4)?;
            places = rooms.iter().cloned().map(Place::Room).collect();
            wires = Some((laid, rooms));
        }
        let mut nodes: Vec<TestNode> = Vec::new();
        let last = if fault.leaves_nobody() { 1 } else { places.len() };
        for (number, place) in places.into_iter().enumerate().take(last) {
            let is_native = only_native || number < NATIVE;
            let program = if is_native { Program::Native } else { Program::spin() };
            let before: Vec<_> = nodes.last().into_iter().collect();
            let name = format!("node-{}", number + 1);
            let node = TestNode::run(program, place, &name, &before, Vec::new()).await;
            nodes.push(node);
        }
        for node in nodes.iter().rev() {
            node.sees(nodes.len() - 1).await;
        }
        Ok(Self {
            fault,
            nodes,
            #[cfg(target_os = "linux")]
            wires,
        })
    }

    /// The node that it happens to; none if it concerns everybody.
    pub(super) fn struck(&self) -> Option<&TestNode> {
        match self.fault {
            Fault::None | Fault::OnlyNode | Fault::Loss | Fault::Delay => None,
            Fault::KillServerless => self.nodes.last(),
            Fault::Kill | Fault::Restart | Fault::Stop | Fault::Blackhole | Fault::Partition => {
                self.nodes.first()
            }
        }
    }

    pub(super) fn strike(&mut self) {
        match self.fault {
            Fault::None => {}
            Fault::Kill | Fault::OnlyNode => self.nodes[0].kill(),
            Fault::KillServerless => self.nodes[NATIVE].kill(),
            Fault::Restart => self.nodes[0].terminate(),
            Fault::Stop => self.nodes[0].pause(),
            Fault::Blackhole | Fault::Partition | Fault::Loss | Fault::Delay => self.change_weather(true),
        }
    }

    pub(super) async fn heal(&mut self) {
        match self.fault {
            Fault::None => {}
            Fault::Kill | Fault::OnlyNode => self.nodes[0].restart().await,
            Fault::Restart => {
                self.nodes[0].ended().await;
                self.nodes[0].restart().await;
            }
            Fault::KillServerless => self.nodes[NATIVE].restart().await,
            Fault::Stop => self.nodes[0].resume(),
            Fault::Blackhole | Fault::Partition | Fault::Loss | Fault::Delay => self.change_weather(false),
        }
    }

    #[cfg(target_os = "linux")]
    fn change_weather(&self, is_bad: bool) {
        use std::time::Duration;

        let Some((wires, rooms)) = &self.wires else { return };
        let weather = |bad| if is_bad { bad } else { Weather::default() };
        match self.fault {
            Fault::Blackhole => wires.around(&rooms[0], weather(Weather::CUT)),
            Fault::Partition => wires.between_nodes(&rooms[0], weather(Weather::CUT)),
            Fault::Loss => wires.everywhere(weather(Weather { loss: 0.05, ..Weather::default() })),
            Fault::Delay => {
                let delay = Duration::from_millis(200);
                wires.everywhere(weather(Weather { delay, ..Weather::default() }));
            }
            _ => {}
        }
    }

    #[cfg(not(target_os = "linux"))]
    fn change_weather(&self, _: bool) {}
}
