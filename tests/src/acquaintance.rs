//! Peers that meet, and peers that answer nobody.

use futures_util::SinkExt;
use serde_json::json;
use tokio_tungstenite::connect_async;
use tokio_tungstenite::tungstenite::Message;

use crate::wire::Socket;
use crate::{TestNode, WirePeer, fresh_id};

/// Two peers that have just joined hear of each other.
pub async fn meet(one: &mut WirePeer, other: &mut WirePeer) {
    one.expect_peer(&other.id).await;
    other.expect_peer(&one.id).await;
}

/// A peer whose socket stays open while nobody reads it or answers for it: a machine that was
/// switched off, a tab that hangs.
pub struct StalledPeer {
    /// Its id.
    pub id: String,
    /// Its socket, which nobody reads unless a test does.
    pub socket: Socket,
}

impl StalledPeer {
    /// Connects, announces itself in a network, and falls silent.
    pub async fn join(node: &TestNode, network: &str) -> Self {
        let id = fresh_id();
        let (mut socket, _) =
            connect_async(format!("{}/?peerId={id}", node.ws())).await.expect("the WebSocket opens");
        let announce = json!({"type": "announce", "data": {}, "networkName": network});
        socket.send(Message::text(announce.to_string())).await.expect("the socket takes a frame");
        Self { id, socket }
    }
}
