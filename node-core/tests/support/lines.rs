//! A decision as lines of text, one for each thing that is to be done, so that a test can say:
//! exactly these and nothing else. Times are written as milliseconds after [`NOW`].

use pigeonhub_node_core::{Change, Decision, Errand, Home, Mail, Presence};
use pigeonhub_protocol::{Frame, Millis, NetworkName, NodeId, NodeMessage, PeerId, Refusal, Signal};

use super::words::{NOW, ROOM};

pub fn lines(decision: &Decision) -> Vec<String> {
    let Decision { replies, changes, errands, joined, left, routed, told } = decision;
    let mut lines: Vec<String> = replies.iter().map(|frame| format!("reply {}", news(frame))).collect();
    lines.extend(joined.iter().map(|network| format!("joined {network}")));
    lines.extend(left.then(|| "left".into()));
    lines.extend(changes.iter().map(change));
    lines.extend(errands.iter().map(errand));
    lines.extend(routed.iter().map(|routed| {
        let code = routed.code.map(|code| format!(": {code}")).unwrap_or_default();
        let found = if routed.target_found { "found" } else { "not found" };
        format!("answer {}, {found}{code}", if routed.routed { "routed" } else { "not routed" })
    }));
    lines.extend((*told > 0).then(|| format!("told {told}")));
    lines
}

fn change(change: &Change) -> String {
    match change {
        Change::Remember(presence) => {
            let Presence { peer, home, state, until, profile, network, .. } = &**presence;
            let state = format!("{state:?}").to_lowercase();
            format!(
                "remember {} {state} {} until {} {profile}{}",
                id(peer),
                place(home),
                when(*until),
                of(network)
            )
        }
        Change::Renew { peer, home, until } => {
            format!("renew {} {} until {}", id(peer), place(home), when(*until))
        }
        Change::Leave { peer, home, until, told } => {
            let told = if *told { "told" } else { "untold" };
            format!("leave {} {} until {} {told}", id(peer), place(home), when(*until))
        }
        Change::Forget { peer, home } => format!("forget {} {}", id(peer), place(home)),
        Change::Deliver { to, mail: Mail::News(frame) } => format!("deliver to {}: {}", id(to), news(frame)),
        Change::Deliver { to, mail: Mail::Signal { signal, by, until, code } } => {
            let by = by.as_ref().map(|node| format!(" by {node}")).unwrap_or_default();
            format!("deliver to {}: {}{by} until {}, else {code}", id(to), of_signal(signal), when(*until))
        }
        Change::Tell { to, frame } if to.is_empty() => format!("tell nobody: {}", news(frame)),
        Change::Tell { to, frame } => {
            let to: Vec<String> = to.iter().map(id).collect();
            format!("tell {}: {}", to.join(" "), news(frame))
        }
        Change::TellAll { except, frame } => format!("tell all but {}: {}", id(except), news(frame)),
    }
}

fn errand(errand: &Errand) -> String {
    match errand {
        Errand::Interest { network, to, answer } => {
            let to = to.as_ref().map_or("all", NodeId::as_str);
            let and = if *answer { ", and they" } else { "" };
            format!("say to {to} that there are peers here{and}{}", of(network))
        }
        Errand::Introduce { to, network } => format!("introduce all to {to}{}", of(network)),
        Errand::Announce { presence, tell, refresh } => {
            let tell: String =
                tell.iter().map(|(node, peer)| format!(", tell {} at {node}", id(peer))).collect();
            let again = if *refresh { "announce again" } else { "announce" };
            format!("{again} {}{}{tell}", id(&presence.peer), of(&presence.network))
        }
        Errand::Withdraw { peer, network, departure, data } => {
            let departure = format!("{departure:?}").to_lowercase();
            format!("withdraw {} {departure} {data}{}", id(peer), of(network))
        }
        Errand::Route(route) => {
            let nodes: Vec<&str> = route.nodes.iter().map(NodeId::as_str).collect();
            let how = if route.ask_all { "ask" } else { "route by" };
            let until = route.deadline.map(|until| format!(" until {}", when(until))).unwrap_or_default();
            format!("{how} {}: {}{until}", nodes.join(" "), of_signal(&route.signal))
        }
        Errand::Return { nodes, back } => {
            let nodes: Vec<_> = nodes.iter().map(NodeId::as_str).collect();
            format!(
                "return to {} by {}: {}{}",
                id(&back.return_to),
                nodes.join(" or "),
                error(&back.refusal),
                of(&back.network_name)
            )
        }
    }
}

/// What a frame says.
pub fn news(frame: &Frame) -> String {
    match NodeMessage::parse(frame.as_str()).unwrap() {
        NodeMessage::Connected { .. } => "connected".into(),
        NodeMessage::Discovered { peer, node, network, .. } => {
            format!("discovered {} at {node}{}", id(&peer), of(&network))
        }
        NodeMessage::Departed { peer, network } => format!("departed {}{}", id(&peer), of(&network)),
        NodeMessage::Goodbye { from, network, data } => {
            format!("goodbye {} {data}{}", id(&from), of(&network))
        }
        NodeMessage::Signal(signal) => of_signal(&signal),
        NodeMessage::Pong { peer } => format!("pong {}", id(&peer)),
        NodeMessage::Error(refusal) => error(&refusal),
    }
}

fn of_signal(signal: &Signal) -> String {
    let Signal { kind, from, target, network, data, id: own, origin: _ } = signal;
    let own = own.as_ref().map(|own| format!(" #{}", own.as_str())).unwrap_or_default();
    format!("{kind} {} to {} {data}{own}{}", id(from), id(target), of(network))
}

fn error(refusal: &Refusal) -> String {
    let about = refusal.original_type.as_deref().map(|kind| format!(" about {kind}")).unwrap_or_default();
    let target = refusal.target.map(|target| format!(" to {}", id(&target))).unwrap_or_default();
    let own = refusal.id.as_ref().map(|own| format!(" #{}", own.as_str())).unwrap_or_default();
    format!("error {}{about}{target}{own}", refusal.code)
}

/// The digit of which the id has forty.
fn id(peer: &PeerId) -> String {
    peer.as_str()[..1].into()
}

fn place(home: &Home) -> String {
    match home {
        Home::Here(session) => format!("here#{}", session.0),
        Home::At(node) => format!("at {node}"),
    }
}

fn when(time: Millis) -> String {
    if time < NOW { format!("-{}", NOW.since(time)) } else { format!("+{}", time.since(NOW)) }
}

/// The network, when it is not the usual one.
fn of(network: &NetworkName) -> String {
    if network.as_str() == ROOM { String::new() } else { format!(" in {network}") }
}
