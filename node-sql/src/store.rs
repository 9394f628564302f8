//! The store: load and commit, as statements.

use alloc::collections::BTreeMap;
use alloc::string::{String, ToString};
use alloc::vec::Vec;
use core::fmt;

use pigeonhub_node_core::records::Limits;
use pigeonhub_node_core::{Change, Facts, Needs, Store};
use pigeonhub_protocol::{Millis, NetworkName, NodeId};

use crate::row;
use crate::{Database, Row, Value};

/// Under which name the version of the tables is kept, and which it is.
const SCHEMA: &str = "schema";
const VERSION: &str = "3";
/// What may happen again is forgotten when the oldest of it could for so long, milliseconds.
const FORGET: u64 = 10_000;

/// A node's facts in a database.
#[derive(Debug)]
pub struct SqlStore<D> {
    pub(crate) database: D,
    pub(crate) own: NodeId,
    /// The time of this request: frames are stamped with it.
    pub(crate) now: Millis,
    pub(crate) nodes: Vec<NodeId>,
    pub(crate) limits: Limits,
}

/// The database could not do it.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct SqlError<E>(pub E);

impl<E: fmt::Display> fmt::Display for SqlError<E> {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        write!(f, "the database: {}", self.0)
    }
}

impl<E: fmt::Debug + fmt::Display> core::error::Error for SqlError<E> {}

impl<D: Database> SqlStore<D> {
    /// A store over an open connection, for one request at `now`.
    pub const fn new(database: D, own: NodeId, now: Millis) -> Self {
        Self { database, own, now, nodes: Vec::new(), limits: Limits::USUAL }
    }

    /// The nodes that can be reached: the host knows them, for they are no network's.
    pub fn with_nodes(&mut self, nodes: Vec<NodeId>) {
        self.nodes = nodes;
    }

    /// The store at another time, for a request that takes long.
    pub const fn at(&mut self, now: Millis) {
        self.now = now;
    }

    /// How many records are kept at most.
    pub const fn limit_records(&mut self, limits: Limits) {
        self.limits = limits;
    }

    /// The connection.
    pub const fn database(&self) -> &D {
        &self.database
    }

    /// The store of another node: a host may have to read its name before it knows it.
    pub fn of(&mut self, own: NodeId) {
        self.own = own;
    }

    /// Everything that is kept under a name.
    ///
    /// # Errors
    /// The database's.
    pub async fn all_kept(&self) -> Result<BTreeMap<String, String>, SqlError<D::Error>> {
        let rows = self.run("SELECT name, text FROM kept", &[]).await?;
        let pair =
            |row: &Row| Some((row::text(row.first()?)?.to_string(), row::text(row.get(1)?)?.to_string()));
        Ok(rows.iter().filter_map(pair).collect())
    }

    /// Makes the tables that are not there yet, and notes which version of them this is.
    ///
    /// # Errors
    /// The database's.
    pub async fn create_tables(&self) -> Result<(), SqlError<D::Error>> {
        self.run_script(include_str!("schema.sql")).await?;
        self.create_record_tables().await?;
        self.keep(SCHEMA, VERSION).await
    }

    /// Runs statements that stand apart by empty lines.
    pub(crate) async fn run_script(&self, script: &str) -> Result<(), SqlError<D::Error>> {
        for statement in script.split("\n\n") {
            let lines = statement.lines().filter(|line| !line.trim_start().starts_with("--"));
            let statement = lines.collect::<Vec<_>>().join("\n");
            if !statement.is_empty() {
                self.run(&statement, &[]).await?;
            }
        }
        Ok(())
    }

    /// Whether the tables are those of this version, by what [`Self::all_kept`] gave.
    #[must_use]
    pub fn is_current(kept: &BTreeMap<String, String>) -> bool {
        kept.get(SCHEMA).is_some_and(|version| version == VERSION)
    }

    /// Something that the host kept under a name.
    ///
    /// # Errors
    /// The database's.
    pub async fn kept(&self, name: &str) -> Result<Option<String>, SqlError<D::Error>> {
        let rows = self.run("SELECT text FROM kept WHERE name = ?1", &[name.into()]).await?;
        Ok(rows.first().and_then(|row| row.first()).and_then(row::text).map(ToString::to_string))
    }

    /// Keeps something under a name.
    ///
    /// # Errors
    /// The database's.
    pub async fn keep(&self, name: &str, text: &str) -> Result<(), SqlError<D::Error>> {
        let sql = "INSERT INTO kept (name, text) VALUES (?1, ?2) ON CONFLICT (name) DO UPDATE SET text = ?2";
        self.run(sql, &[name.into(), text.into()]).await.map(drop)
    }

    /// Keeps something under a name that nothing is kept under yet, and returns what is kept there
    /// now: of two requests at once, both get the same.
    ///
    /// # Errors
    /// The database's.
    pub async fn keep_first(&self, name: &str, text: &str) -> Result<String, SqlError<D::Error>> {
        let sql = "INSERT INTO kept (name, text) VALUES (?1, ?2) ON CONFLICT (name) DO NOTHING";
        self.run(sql, &[name.into(), text.into()]).await?;
        Ok(self.kept(name).await?.unwrap_or_default())
    }

    /// Replaces what is kept under a name, if it is still what it was. Gives whether it was.
    ///
    /// # Errors
    /// The database's.
    pub async fn keep_instead(&self, name: &str, old: &str, new: &str) -> Result<bool, SqlError<D::Error>> {
        let sql = "UPDATE kept SET text = ?3 WHERE name = ?1 AND text = ?2 RETURNING 1";
        let rows = self.run(sql, &[name.into(), old.into(), new.into()]).await?;
        Ok(!rows.is_empty())
    }

    /// Notes that something happened which may happen once only until a time (a nonce was seen).
    /// Gives whether it is the first time.
    ///
    /// # Errors
    /// The database's.
    pub async fn once(&self, name: &str, until: Millis) -> Result<bool, SqlError<D::Error>> {
        let sql = "INSERT INTO once (name, until) VALUES (?1, ?2) ON CONFLICT (name) \
                   DO UPDATE SET until = ?2 WHERE until <= ?3 RETURNING 1";
        let rows = self.run(sql, &[name.into(), until.into(), self.now.into()]).await?;
        Ok(!rows.is_empty())
    }

    /// Forgets what may happen again. Not with each request: it is written to disk.
    ///
    /// # Errors
    /// The database's.
    pub async fn forget_once(&self) -> Result<(), SqlError<D::Error>> {
        let long_ago = Millis(self.now.0.saturating_sub(FORGET));
        let sql = "DELETE FROM once WHERE until <= ?2 \
                   AND EXISTS (SELECT 1 FROM once WHERE until <= ?1 ORDER BY until LIMIT 1)";
        self.run(sql, &[long_ago.into(), self.now.into()]).await.map(drop)
    }

    pub(crate) async fn run(&self, sql: &str, parameters: &[Value]) -> Result<Vec<Row>, SqlError<D::Error>> {
        self.database.execute(sql, parameters).await.map_err(SqlError)
    }
}

impl<D: Database> Store for SqlStore<D> {
    type Error = SqlError<D::Error>;

    async fn load(&self, needs: &Needs) -> Result<Facts, Self::Error> {
        let mut facts = self.facts_together(core::slice::from_ref(needs)).await?;
        Ok(facts.pop().unwrap_or_default())
    }

    async fn load_all(&self, needs: &[Needs]) -> Result<Vec<Facts>, Self::Error> {
        self.facts_together(needs).await
    }

    async fn commit(&self, network: &NetworkName, changes: Vec<Change>) -> Result<(), Self::Error> {
        self.apply(&[(network.clone(), changes)]).await
    }

    async fn commit_all(&self, changes: Vec<(NetworkName, Vec<Change>)>) -> Result<(), Self::Error> {
        self.apply(&changes).await
    }

    /// Every request has a connection of its own, and there may be several hosts.
    fn is_shared(&self) -> bool {
        true
    }
}
