//! Records: what peers publish at the nodes, signed by them and checked by who reads it.
//!
//! For apps in Rust. Those in JavaScript get the same from `pkg/records.js`, when they ask for it.

use js_sys::{Array, JSON, Object, Reflect};
use pigeonhub_client_core::NodeUrl;
use pigeonhub_protocol::{RawJson, Record, limit, raw_json};
use wasm_bindgen::{JsCast, JsValue};

use crate::asking::{ask, field};
use crate::canonical::canonical;
use crate::error::HubError;
use crate::keys::{self, Key};
use crate::{Hub, ambient};

/// Seconds that a record is found if nobody says how long.
const USUAL_TTL: u32 = 300;
/// Records of a topic that are read at most: four full pages.
const MOST: usize = 1024;

/// How a record is published.
#[derive(Clone, Debug, Default)]
pub struct PublishOptions {
    /// For how many seconds it is found: 300 by default, a day at most.
    pub ttl: Option<u32>,
    /// Tells the records of one publisher under one topic apart; empty if there is one only.
    pub salt: String,
    /// How many nodes must keep it; one by default.
    pub copies: Option<Copies>,
}

/// How many nodes must keep a record for its publishing to succeed.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum Copies {
    /// So many.
    Nodes(u32),
    /// More than half of those that are responsible for the topic.
    Majority,
}

/// A record that was found. Its signature holds; whose it is depends on [`Self::is_verified`].
#[derive(Clone, Debug)]
pub struct PublishedRecord {
    /// The same for all records of one publisher and salt under a topic.
    pub id: String,
    /// What was published.
    pub record: Record,
    /// Who published it, if they signed it: the id of the peer with the publisher's key.
    pub peer_id: Option<String>,
}

impl PublishedRecord {
    /// Whether its publisher signed it; else a node did for somebody, or this browser cannot tell.
    #[must_use]
    pub const fn is_verified(&self) -> bool {
        self.peer_id.is_some()
    }

    /// What it says.
    #[must_use]
    pub fn data(&self) -> serde_json::Value {
        // Raw JSON is JSON.
        serde_json::from_str(self.record.data.get()).unwrap_or_default()
    }

    /// A record as a node shows it, if it is of this topic and can be believed.
    pub(crate) async fn checked(shown: &JsValue, topic: &str) -> Option<Self> {
        let id = field(shown, "id")?.as_string()?;
        let record: Record = serde_json::from_str(&String::from(JSON::stringify(shown).ok()?)).ok()?;
        // Clocks of people are wrong by hours often enough; nodes, which have better ones, sort out the rest.
        let is_over = record.expires_at().plus(limit::PROOF) < ambient::now();
        if record.topic != topic || record.deleted || is_over {
            return None;
        }
        if keys::holds(&statement(&record)?, &record.publisher, &record.signature).await {
            let peer = keys::peer_of(&record.publisher).await.filter(|_| record.node_id.is_none());
            return Some(Self { id, record, peer_id: peer.map(|peer| peer.as_str().into()) });
        }
        // Without the means to check signatures nothing is verified, and what nodes say is all there is.
        (!keys::are_supported().await).then_some(Self { id, record, peer_id: None })
    }
}

impl Hub {
    /// Publishes a record under a topic, signed with this peer's key if it has one, else by the node.
    /// What was published before with the same salt is replaced. Gives the node's receipt.
    ///
    /// # Errors
    ///
    /// `no-node` if none could be asked, or the code that a node answered: `invalid-request`,
    /// `message-too-large`, `record-expired`, `record-stale`, `quota-exceeded`, `not-replicated`, …;
    /// `no-identity` for what only a peer with a key can do: replace and take back.
    pub async fn publish(
        &self,
        topic: &str,
        data: &serde_json::Value,
        options: PublishOptions,
    ) -> Result<serde_json::Value, HubError> {
        let data = raw_json(data);
        self.put(topic, data, options, false).await
    }

    /// Takes back what this peer published under a topic with this salt.
    ///
    /// # Errors
    ///
    /// As [`Hub::publish`].
    pub async fn unpublish(&self, topic: &str, salt: &str) -> Result<(), HubError> {
        // Remembered for a day whatever it says: as long as anything older could come back.
        let options = PublishOptions { salt: salt.into(), ..PublishOptions::default() };
        self.put(topic, RawJson::default(), options, true).await.map(|_| ())
    }

    /// The records of a topic, from the first node that answers. What does not hold is left out.
    ///
    /// # Errors
    ///
    /// As [`Hub::publish`].
    pub async fn find(&self, topic: &str) -> Result<Vec<PublishedRecord>, HubError> {
        find(&self.nodes_to_ask(), topic).await
    }

    async fn put(
        &self,
        topic: &str,
        data: RawJson,
        options: PublishOptions,
        deleted: bool,
    ) -> Result<serde_json::Value, HubError> {
        let now = ambient::now();
        let ttl = options.ttl.unwrap_or(USUAL_TTL);
        let mut record = Record::unsigned(topic.into(), data, self.next_seq(now.0), ttl.into(), now);
        record.salt = options.salt;
        record.deleted = deleted;
        let fields = match self.key() {
            Some(key) => signed(record, &key).await?,
            // What a node signs can be neither replaced nor taken back.
            None if deleted || !record.salt.is_empty() => return Err(HubError::no_identity()),
            None => unsigned(&record)?,
        };
        let copies = match options.copies {
            Some(Copies::Nodes(count)) => count.into(),
            Some(Copies::Majority) => "majority".into(),
            None => JsValue::UNDEFINED,
        };
        // A property of a fresh object.
        let _ = Reflect::set(&fields, &"w".into(), &copies);
        let receipt = ask(&self.nodes_to_ask(), "/api/publish", Some(&text(&fields))).await?;
        Ok(serde_json::from_str(&text(&receipt)).unwrap_or_default())
    }
}

/// The records of a topic, page by page.
pub(crate) async fn find(nodes: &[NodeUrl], topic: &str) -> Result<Vec<PublishedRecord>, HubError> {
    let path = String::from("/api/find/") + &String::from(js_sys::encode_uri_component(topic));
    let (mut found, mut page, mut seen) = (Vec::new(), path.clone(), 0);
    loop {
        let answer = ask(nodes, &page, None).await?;
        let records = field(&answer, "records").map(|records| Array::from(&records)).unwrap_or_default();
        seen += records.length() as usize;
        for shown in records.iter() {
            found.extend(PublishedRecord::checked(&shown, topic).await);
        }
        match field(&answer, "next").and_then(|next| next.as_string()) {
            Some(next) if seen < MOST => page = [&path, "?cursor=", &next].concat(),
            _ => return Ok(found),
        }
    }
}

async fn signed(mut record: Record, key: &Key) -> Result<JsValue, HubError> {
    record.publisher = key.public().into();
    let signature = match statement(&record) {
        Some(statement) => key.sign(&statement).await,
        None => None,
    };
    record.signature = signature.ok_or_else(|| HubError::new("invalid-request", "this cannot be signed"))?;
    Ok(fields(&record))
}

/// The text that is signed. Numbers are as JavaScript reads and writes them.
fn statement(record: &Record) -> Option<String> {
    Some(Record::DOMAIN.to_owned() + &canonical(&unsigned(record).ok()?)?)
}

/// All but the signature.
fn unsigned(record: &Record) -> Result<JsValue, HubError> {
    let fields = fields(record);
    Reflect::delete_property(fields.unchecked_ref::<Object>(), &"signature".into())
        .map_err(|thrown| HubError::thrown("invalid-request", &thrown))?;
    Ok(fields)
}

fn fields(record: &Record) -> JsValue {
    // What is written as JSON is read as JSON.
    JSON::parse(raw_json(record).get()).unwrap_or_default()
}

fn text(value: &JsValue) -> String {
    JSON::stringify(value).map(String::from).unwrap_or_default()
}
