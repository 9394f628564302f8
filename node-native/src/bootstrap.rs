//! Looking for other nodes, and being found.

mod dns;

use std::sync::Arc;
use std::sync::atomic::Ordering;
use std::time::Duration;

use futures_util::future::{BoxFuture, join_all};
use parking_lot::Mutex;
use pigeonhub_bootstrap::{
    Check, DOCUMENTS, Descriptor, Domain, EXPIRES, Found, Pool, Refusal, Region, Source, is_fresh, pause,
    read_document, read_txt, seed_bundle, signed,
};
use pigeonhub_node_core::Standing;
use pigeonhub_node_core::rest::Reply;
use pigeonhub_protocol::Millis;
use tokio::time::timeout;

pub use self::dns::Dns;
use crate::clock::{now, wall};
use crate::host::Host;
use crate::kept_file::KeptFile;
use crate::metrics::Metrics;
use crate::{Config, Error};

/// In `DATA_DIR`: the nodes that were found.
const CACHE: &str = "bootstrap.json";
/// How often it is looked what is to be done.
const TICK: Duration = Duration::from_millis(500);
/// How long a source has to answer, all its parts together.
const SOURCE_LIMIT: Duration = Duration::from_secs(5);

/// Where other nodes are looked for, and what was found.
#[derive(Debug)]
pub struct Bootstrap {
    peers: Vec<Descriptor>,
    domains: Vec<Domain>,
    pins: Vec<String>,
    region: Option<Region>,
    /// Only if an operator named a DNS server.
    dns: Option<Dns>,
    /// What DNS is asked by: that server, or the system's.
    txt: Option<Dns>,
    cache: KeptFile,
    pool: Mutex<Pool>,
}

impl Bootstrap {
    /// Takes the configuration; nobody is asked yet.
    ///
    /// # Errors
    /// [`Error::Option`].
    pub fn new(config: &Config) -> Result<Self, Error> {
        let (peers, region) = (config.bootstrap()?, config.region()?);
        let domains = domains(&config.bootstrap_domains)?;
        let pool = Pool::configured(&peers, config.built_in()?, region, wall());
        let dns = config.dns_resolver.map(Dns::at).transpose()?;
        let txt = match &dns {
            Some(dns) => Some(dns.clone()),
            None if domains.iter().any(|domain| domain.dns.is_some()) => Dns::of_system(),
            None => None,
        };
        let pins = config.bootstrap_keys.iter().map(|key| key.trim().to_owned());
        let pins = pins.filter(|key| !key.is_empty()).collect();
        let cache = KeptFile::open(config.data_dir.as_deref(), CACHE)?;
        Ok(Self { peers, domains, pins, region, dns, txt, cache, pool: Mutex::new(pool) })
    }

    /// The nodes that were configured, which are never given up.
    pub fn configured(&self) -> Vec<String> {
        self.peers.iter().map(|peer| peer.u.clone()).collect()
    }

    /// What finds the addresses of other nodes, if it is not the system.
    pub fn dns(&self) -> Option<Dns> {
        self.dns.clone()
    }
}

/// Reads the list; blanks are left out.
fn domains(list: &[String]) -> Result<Vec<Domain>, Error> {
    let named = list.iter().map(|text| text.trim()).filter(|text| !text.is_empty());
    let read = |text| {
        let reason = || format!("{text} is not of the form example.org or https://example.org");
        Domain::read(text).ok_or_else(|| Error::Option { option: "BOOTSTRAP_DOMAINS", reason: reason() })
    };
    named.map(read).collect()
}

impl Metrics {
    fn refuse_find(&self, refusal: Refusal) {
        self.refused_finds[refusal.index()].fetch_add(1, Ordering::Relaxed);
    }
}

impl Host {
    /// Looks for nodes, until this one stops: at once and, as long as there is nobody, again soon.
    pub async fn keep_bootstrap(self: Arc<Self>) {
        self.read_cache().await;
        self.suggest();
        let (mut round, mut next) = (0, Millis::default());
        while !self.is_stopped() {
            let at = self.clock.moment();
            self.renew_descriptor();
            if next <= at.now && !self.bootstrap.domains.is_empty() {
                self.ask_all().await;
                let is_alone = self.mesh.up().is_empty();
                next = now().plus(pause(is_alone, round, at.seed));
                round = if is_alone { round + 1 } else { 0 };
            }
            self.check_candidates();
            tokio::time::sleep(TICK).await;
        }
    }

    /// Signs anew what this node says of itself, if it is time.
    pub fn renew_descriptor(&self) {
        let (wall, mut membership) = (wall(), self.mesh.membership());
        if !is_fresh(membership.own(), wall) {
            let own = signed(membership.own(), self.mesh.courier.key(), wall);
            membership.renew(own);
        }
    }

    /// `GET /.well-known/peerpigeon.json`
    pub fn seeds(&self) -> Reply {
        let urls = self.mesh.membership().urls();
        Reply::ok(&seed_bundle(self.mesh.courier.key(), &self.app, &urls, wall(), EXPIRES))
    }

    /// Asks all sources at once. What one answers is used when it comes, not when all have answered.
    async fn ask_all(&self) {
        let mut asked: Vec<BoxFuture<'_, ()>> = Vec::new();
        for domain in &self.bootstrap.domains {
            for path in DOCUMENTS {
                asked.push(Box::pin(self.ask_document(domain, path)));
            }
            if let (Some(name), Some(dns)) = (&domain.dns, &self.bootstrap.txt) {
                asked.push(Box::pin(self.ask_dns(domain, name, dns)));
            }
        }
        join_all(asked).await;
    }

    async fn ask_document(&self, domain: &Domain, path: &str) {
        let url = &domain.url;
        match timeout(SOURCE_LIMIT, self.mesh.courier.get(url, path)).await {
            Ok(Ok(body)) => {
                let found = read_document(&String::from_utf8_lossy(&body), &self.check(domain.is_local));
                self.take(Source::WellKnown, url, found).await;
            }
            Ok(Err(error)) => tracing::debug!(url, path, %error, "no document"),
            Err(_) => tracing::debug!(url, path, "no document in time"),
        }
    }

    async fn ask_dns(&self, domain: &Domain, name: &str, dns: &Dns) {
        match timeout(SOURCE_LIMIT, dns.txt(name)).await {
            Ok(Ok(records)) => {
                for record in records {
                    self.take(Source::Dns, name, read_txt(&record, &self.check(domain.is_local))).await;
                }
            }
            Ok(Err(error)) => tracing::debug!(name, %error, "no TXT records"),
            Err(_) => tracing::debug!(name, "no TXT records in time"),
        }
    }

    /// What something that was found has to hold against; whoever `is_local` may name local addresses.
    pub(crate) fn check(&self, is_local: bool) -> Check<'_> {
        Check { app: &self.app, pins: &self.bootstrap.pins, is_local, now: wall() }
    }

    /// Takes in what a source answered: first on disk, then in use.
    pub(crate) async fn take(&self, source: Source, name: &str, found: Found) {
        {
            let mut pool = self.bootstrap.pool.lock();
            let own = self.mesh.membership().own().http_url();
            let others = found.peers.into_iter().filter(|(descriptor, _)| descriptor.address() != own);
            let offers = others.map(|(descriptor, trust)| {
                let offered = pool.offer(descriptor, source, trust, wall());
                offered.map(|()| Metrics::add(&self.metrics.found, 1))
            });
            let replayed: Vec<_> = offers.filter_map(Result::err).collect();
            for refusal in found.refused.into_iter().chain(replayed) {
                tracing::warn!(name, ?source, %refusal, "what was found is not used");
                self.metrics.refuse_find(refusal);
            }
        }
        self.write_cache().await;
        self.suggest();
    }

    /// Dials whoever is among the candidates and not known yet, the best first.
    fn suggest(&self) {
        let pool = self.bootstrap.pool.lock();
        let mut membership = self.mesh.membership();
        for candidate in pool.ranked(self.bootstrap.region) {
            membership.suggest(&candidate.descriptor.u, now());
        }
    }

    /// Takes down how the candidates do, and dials those again that were given up. The mesh dials all
    /// that it knows anyway, so nobody is asked for this.
    fn check_candidates(&self) {
        let wall = wall();
        let mut pool = self.bootstrap.pool.lock();
        let mut membership = self.mesh.membership();
        for address in pool.due(wall) {
            match membership.at(&address).map(|contact| (contact.standing, contact.round_trip)) {
                Some((Standing::Up, round_trip)) => pool.checked(&address, round_trip, wall),
                Some((Standing::Down { .. }, _)) => pool.checked(&address, None, wall),
                Some((Standing::Unknown, _)) => {}
                None => membership.suggest(&address, now()),
            }
        }
    }

    async fn read_cache(&self) {
        let Some(text) = self.bootstrap.cache.read().await else { return };
        let mut pool = self.bootstrap.pool.lock();
        for refusal in pool.read(&text, &self.bootstrap.pins, wall()) {
            tracing::info!(%refusal, "what was kept is not used");
            self.metrics.refuse_find(refusal);
        }
    }

    async fn write_cache(&self) {
        let text = self.bootstrap.pool.lock().write();
        self.bootstrap.cache.write(&text).await;
    }
}
