//! Looking for other nodes: those that are configured, documents of domains, their TXT records by DNS
//! over HTTPS, the built-in list if it is wanted. What was found, and how it did, is kept in the
//! database, for when a source is gone.

use futures_util::future::{join, join_all};
use pigeonhub_bootstrap::{
    Check, DOCUMENTS, Domain, Found, Pool, Region, Source, query, read_document, read_txt, txt_records,
};
use pigeonhub_node_core::Standing;

use crate::chores::Chore;
use crate::clock::now;
use crate::host::{Host, StoreError};
use crate::metrics::Finds;
use crate::settings::Settings;

/// Under what the candidates are kept that were found …
const KEPT: &str = "bootstrap";
/// … and what else is known of all of them.
const MEMORY: &str = "bootstrap memory";

impl Settings {
    /// How urgent it is to look for nodes; `None` if there is nowhere to look.
    fn chore(&self, is_alone: bool) -> Option<Chore> {
        if self.bootstrap_domains.is_empty() && self.bootstrap_built_in.is_none() {
            // Who is configured is dialled anyway; it is only to be noted how they do.
            return (!self.bootstrap_peers.is_empty()).then_some(Chore::Look);
        }
        Some(if is_alone { Chore::LookAlone } else { Chore::Look })
    }
}

impl Host {
    /// Looks for nodes, unless that was done of late.
    pub async fn look_for_nodes(&mut self) -> Result<(), StoreError> {
        let is_alone = self.mesh.up().next().is_none();
        let Some(chore) = self.settings.chore(is_alone) else { return Ok(()) };
        if !self.takes(chore).await? {
            return Ok(());
        }
        let domains = &self.settings.bootstrap_domains;
        let found: Vec<(Source, Found)> =
            join_all(domains.iter().map(|domain| self.ask(domain))).await.into_iter().flatten().collect();
        let (mut finds, own) = (Finds::default(), self.mesh.own().http_url());
        let mut pool = self.pool(&mut finds).await?;
        for (source, found) in found {
            found.refused.into_iter().for_each(|refusal| finds.count(Some(source), Err(refusal)));
            let others = found.peers.into_iter().filter(|(descriptor, _)| descriptor.address() != own);
            for (descriptor, trust) in others {
                finds.count(Some(source), pool.offer(descriptor, source, trust, now()));
            }
        }
        self.check_candidates(&mut pool);
        self.store.keep(KEPT, &pool.write()).await?;
        self.store.keep(MEMORY, &pool.memory()).await?;
        self.add_finds(&finds).await?;
        let urls: Vec<_> =
            pool.ranked(self.region()).into_iter().map(|candidate| candidate.descriptor.u.clone()).collect();
        self.change_mesh(|mesh| urls.iter().for_each(|url| mesh.suggest(url, now()))).await
    }

    /// What is configured, what is kept, and what is known of them.
    async fn pool(&self, finds: &mut Finds) -> Result<Pool, StoreError> {
        let settings = &self.settings;
        let built_in = settings.bootstrap_built_in;
        let mut pool = Pool::configured(&settings.bootstrap_peers, built_in, self.region(), now());
        if let Some(kept) = self.store.kept(KEPT).await? {
            let refused = pool.read(&kept, &settings.bootstrap_keys, now());
            refused.into_iter().for_each(|refusal| finds.count(None, Err(refusal)));
        }
        if let Some(memory) = self.store.kept(MEMORY).await? {
            pool.remember(&memory, now());
        }
        Ok(pool)
    }

    fn region(&self) -> Option<Region> {
        self.settings.region.as_deref().and_then(Region::named)
    }

    /// Takes down how the candidates do. The mesh dials all that it knows anyway, so nobody is asked
    /// for this; and who was given up is suggested to it again with all others.
    fn check_candidates(&self, pool: &mut Pool) {
        let now = now();
        for address in pool.due(now) {
            match self.mesh.at(&address).map(|contact| (contact.standing, contact.round_trip)) {
                Some((Standing::Up, round_trip)) => pool.checked(&address, round_trip, now),
                Some((Standing::Down { .. }, _)) => pool.checked(&address, None, now),
                Some((Standing::Unknown, _)) | None => {}
            }
        }
    }

    /// What a domain says: its documents and its TXT records, asked at the same time. Who does not
    /// answer says nothing.
    async fn ask(&self, domain: &Domain) -> Vec<(Source, Found)> {
        let documents = join_all(DOCUMENTS.map(|path| self.get(&domain.url, path)));
        let (documents, records) = join(documents, self.ask_dns(domain)).await;
        let check = Check {
            app: &self.settings.app_id,
            pins: &self.settings.bootstrap_keys,
            is_local: domain.is_local,
            now: now(),
        };
        let documents = documents.into_iter().flatten();
        let read = |body: Vec<u8>| read_document(&String::from_utf8_lossy(&body), &check);
        let documents = documents.map(|body| (Source::WellKnown, read(body)));
        documents.chain(records.iter().map(|record| (Source::Dns, read_txt(record, &check)))).collect()
    }

    /// The TXT records of a domain, if it has a name and there is somebody to ask.
    async fn ask_dns(&self, domain: &Domain) -> Vec<String> {
        let (Some(name), Some(resolver)) = (&domain.dns, &self.settings.dns_over_https) else {
            return Vec::new();
        };
        let answer = self.get_dns(&format!("{resolver}?{}", query(name))).await;
        answer.map(|answer| txt_records(&String::from_utf8_lossy(&answer))).unwrap_or_default()
    }
}
