//! The peers that the load is made of: their ids, and the frames that they say.

/// A peer of the load.
#[derive(Clone)]
pub struct Peer {
    pub id: String,
    pub network: String,
}

impl Peer {
    /// Peer `number` of a network. Ids look random, as ids do: distances between them matter.
    /// Peers 2n and 2n+1 differ in the last digit only, which makes them a pair to the relay.
    pub fn new(number: usize, network: String) -> Self {
        let stem = scatter(number as u64 / 2);
        let id = format!("{stem:016x}{:016x}{:07x}{}", scatter(stem), scatter(!stem) >> 36, number % 2);
        Self { id, network }
    }

    /// As PeerPigeon clients say it.
    pub fn announce(&self) -> String {
        let Self { id, network } = self;
        format!(r#"{{"type":"announce","data":{{"peerId":"{id}"}},"maxPeers":3,"networkName":"{network}"}}"#)
    }

    /// A signal to `target` whose `data` is `size` bytes of JSON.
    pub fn candidate(&self, target: &Self, size: usize) -> String {
        let data = |filling: &str| {
            format!(
                r#"{{"candidate":"candidate:842163049 1 udp 1677729535 203.0.113.7 46154 typ srflx {filling}","sdpMid":"0","sdpMLineIndex":0}}"#
            )
        };
        let filling = "x".repeat(size.saturating_sub(data("").len()));
        format!(
            r#"{{"type":"ice-candidate","data":{},"maxPeers":3,"networkName":"{}","targetPeerId":"{}"}}"#,
            data(&filling),
            self.network,
            target.id
        )
    }
}

/// `splitmix64`: neighbours become strangers.
pub const fn scatter(number: u64) -> u64 {
    let mut z = number.wrapping_add(1).wrapping_mul(0x9e37_79b9_7f4a_7c15);
    z = (z ^ (z >> 30)).wrapping_mul(0xbf58_476d_1ce4_e5b9);
    z = (z ^ (z >> 27)).wrapping_mul(0x94d0_49bb_1331_11eb);
    z ^ (z >> 31)
}
