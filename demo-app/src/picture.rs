//! The picture of the mesh, put together from what the nodes tell and what this page knows itself.

use std::collections::BTreeMap;

use leptos::prelude::*;

use crate::call::Phase;
use crate::mesh::{Dot, Node, Standing};
use crate::mesh_layout::{self as layout, Point};
use crate::state::State;

/// A node with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedNode {
    /// The node.
    pub node: Node,
    /// Where it is drawn.
    pub at: Point,
    /// This page has a session with it.
    pub mine: bool,
    /// How many peers are at it.
    pub peers: usize,
}

/// A peer with its place.
#[derive(Clone, Debug, PartialEq)]
pub struct PlacedPeer {
    /// The peer.
    pub peer_id: String,
    /// What it is called.
    pub name: String,
    /// Where it is drawn.
    pub at: Point,
    /// It is this page.
    pub is_me: bool,
    /// It is in a call with this page.
    pub in_call: bool,
    /// Where the nodes that it is at are drawn.
    pub homes: Vec<Point>,
}

/// A line with its meaning.
#[derive(Clone, Debug, PartialEq)]
pub struct Wire {
    /// From here.
    pub from: Point,
    /// To there.
    pub to: Point,
    /// Both ends are up.
    pub alive: bool,
}

/// A call: straight from browser to browser.
#[derive(Clone, Debug, PartialEq)]
pub struct CallLine {
    /// Its line as an SVG path.
    pub d: String,
    /// It is connected now.
    pub alive: bool,
}

/// The way of a call's signals.
#[derive(Clone, Debug, PartialEq)]
pub struct SignalPath {
    /// The call's other side.
    pub peer_id: String,
    /// The way as an SVG path.
    pub d: String,
    /// Every node on it is up.
    pub alive: bool,
    /// Signals go this way still.
    pub in_use: bool,
}

/// All of the picture.
#[derive(Clone, Debug, Default, PartialEq)]
pub struct Picture {
    /// Nodes.
    pub nodes: Vec<PlacedNode>,
    /// Who knows whom among them.
    pub wires: Vec<Wire>,
    /// Peers.
    pub peers: Vec<PlacedPeer>,
    /// Calls.
    pub calls: Vec<CallLine>,
    /// The ways of their signals.
    pub paths: Vec<SignalPath>,
    /// Peers for whom there is no room.
    pub unseen: usize,
}

/// More peers than this are counted, not drawn.
const MOST_PEERS: usize = 30;

/// Draws what is known now.
pub fn draw(state: State) -> Picture {
    let nodes = state.mesh.with(|mesh| mesh.nodes());
    let places = layout::nodes(nodes.len());
    let index: BTreeMap<&str, usize> =
        nodes.iter().enumerate().map(|(i, node)| (node.name.as_str(), i)).collect();
    let mine: Vec<String> = state.hosts().into_iter().map(|host| host.name).collect();

    let mut dots = dots(state, &mine);
    let unseen = dots.len().saturating_sub(MOST_PEERS);
    dots.truncate(MOST_PEERS);
    let homes: Vec<Vec<usize>> = dots
        .iter()
        .map(|dot| dot.nodes.iter().filter_map(|name| index.get(name.as_str()).copied()).collect())
        .collect();
    let spots = layout::peers(&places, &homes);
    let spot: BTreeMap<&str, Point> =
        dots.iter().zip(&spots).map(|(dot, at)| (dot.peer_id.as_str(), *at)).collect();

    let me = state.me.get();
    let my_spot = me.as_deref().and_then(|me| spot.get(me).copied());
    let mut calls = Vec::new();
    let mut paths = Vec::new();
    let mut in_call = Vec::new();
    for call in state.calls.get() {
        let who = call.who.get();
        let (Some(from), Some(to)) = (my_spot, spot.get(who.peer_id.as_str()).copied()) else { continue };
        let phase = call.phase.get();
        if matches!(phase, Phase::Closed | Phase::Failed(_)) {
            continue;
        }
        in_call.push(who.peer_id.clone());
        if phase != Phase::Connecting {
            calls.push(CallLine { d: layout::outer_path(from, to), alive: phase == Phase::Connected });
        }
        let Some(way) = call.way.get() else { continue };
        let ours = state.mesh.with(|mesh| mesh.name_of(&way.ours));
        let stops: Vec<usize> =
            [ours, way.theirs].iter().filter_map(|name| index.get(name.as_str()).copied()).collect();
        let mut points = vec![from];
        points.extend(stops.iter().map(|i| places[*i]));
        points.dedup();
        points.push(to);
        let alive = stops.iter().all(|i| nodes[*i].standing != Standing::Down);
        let d = layout::bent_path(&points);
        paths.push(SignalPath { peer_id: who.peer_id, d, alive, in_use: !way.is_past });
    }

    let wires = state.mesh.with(|mesh| mesh.edges()).into_iter().filter_map(|(a, b, alive)| {
        Some(Wire { from: places[*index.get(a.as_str())?], to: places[*index.get(b.as_str())?], alive })
    });
    let wires = wires.collect();
    let peers = dots.iter().zip(&spots).zip(&homes).map(|((dot, at), homes)| PlacedPeer {
        name: dot.name.clone().unwrap_or_default(),
        at: *at,
        is_me: me.as_ref() == Some(&dot.peer_id),
        in_call: in_call.contains(&dot.peer_id),
        homes: homes.iter().map(|i| places[*i]).collect(),
        peer_id: dot.peer_id.clone(),
    });
    let peers = peers.collect();
    let placed = nodes.iter().zip(&places).enumerate().map(|(i, (node, at))| PlacedNode {
        at: *at,
        mine: mine.contains(&node.name),
        peers: homes.iter().filter(|homes| homes.contains(&i)).count(),
        node: node.clone(),
    });
    Picture { nodes: placed.collect(), wires, peers, calls, paths, unseen }
}

/// The peers to draw: those that nodes tell of, and those that this page knows better. This page and
/// its calls come first, for they must not be left out.
fn dots(state: State, mine: &[String]) -> Vec<Dot> {
    let mut dots: BTreeMap<String, Dot> =
        state.mesh.with(|mesh| mesh.dots()).into_iter().map(|dot| (dot.peer_id.clone(), dot)).collect();
    for person in state.people.get().into_values() {
        let dot = dots.entry(person.peer_id.clone());
        let dot =
            dot.or_insert_with(|| Dot { peer_id: person.peer_id, name: None, nodes: vec![person.node] });
        dot.name = Some(person.name);
    }
    // A call lives on when no node sees the other side any more.
    let mut first = Vec::new();
    if let Some(me) = state.me.get() {
        dots.remove(&me);
        first.push(Dot { peer_id: me, name: Some(state.name.get_untracked()), nodes: mine.to_vec() });
    }
    for call in state.calls.get() {
        let who = call.who.get();
        let nodes = vec![who.node.clone()];
        let dot = dots.remove(&who.peer_id);
        first.push(dot.unwrap_or(Dot { peer_id: who.peer_id, name: Some(who.name), nodes }));
    }
    first.extend(dots.into_values());
    first
}
