//! Looking for other nodes: documents of domains, and their TXT records by DNS over HTTPS. What was
//! found is kept in the database, for when a source is gone.

use futures_util::future::join_all;
use pigeonhub_bootstrap::{
    Check, DOCUMENTS, Domain, Found, Pool, Region, Source, query, read_document, read_txt, txt_records,
};

use crate::chores::Chore;
use crate::clock::now;
use crate::host::{Host, StoreError};

/// Under what the candidates are kept.
const KEPT: &str = "bootstrap";

impl Host {
    /// Looks for nodes, unless that was done of late.
    pub async fn look_for_nodes(&mut self) -> Result<(), StoreError> {
        let is_alone = self.mesh.up().next().is_none();
        let chore = if is_alone { Chore::LookAlone } else { Chore::Look };
        if self.settings.bootstrap_domains.is_empty() || !self.takes(chore).await? {
            return Ok(());
        }
        let domains = &self.settings.bootstrap_domains;
        let found: Vec<(Source, Found)> =
            join_all(domains.iter().map(|domain| self.ask(domain))).await.into_iter().flatten().collect();
        let (mut pool, own) = (Pool::default(), self.mesh.own().http_url());
        let kept = self.store.kept(KEPT).await?.unwrap_or_default();
        // What was kept and does not hold any more is left out.
        let _ = pool.read(&kept, &self.settings.bootstrap_keys, now());
        for (source, found) in found {
            let others = found.peers.into_iter().filter(|(descriptor, _)| descriptor.address() != own);
            let offers = others.map(|(descriptor, trust)| pool.offer(descriptor, source, trust, now()));
            let replayed: Vec<_> = offers.filter_map(Result::err).collect();
            for refusal in found.refused.into_iter().chain(replayed) {
                eprintln!("{source:?}: what was found is not used: {refusal}");
            }
        }
        self.store.keep(KEPT, &pool.write()).await?;
        let region = self.settings.region.as_deref().and_then(Region::named);
        let urls: Vec<_> =
            pool.ranked(region).into_iter().map(|candidate| candidate.descriptor.u.clone()).collect();
        self.change_mesh(|mesh| urls.iter().for_each(|url| mesh.suggest(url, now()))).await
    }

    /// What a domain says. Who does not answer says nothing.
    async fn ask(&self, domain: &Domain) -> Vec<(Source, Found)> {
        let documents = join_all(DOCUMENTS.map(|path| self.get(&domain.url, path)));
        let check = Check {
            app: &self.settings.app_id,
            pins: &self.settings.bootstrap_keys,
            is_local: domain.is_local,
            now: now(),
        };
        let documents = documents.await.into_iter().flatten();
        let read = |body: Vec<u8>| read_document(&String::from_utf8_lossy(&body), &check);
        let mut found: Vec<_> = documents.map(|body| (Source::WellKnown, read(body))).collect();
        if let (Some(name), Some(resolver)) = (&domain.dns, &self.settings.dns_over_https)
            && let Ok(answer) = self.get_dns(&format!("{resolver}?{}", query(name))).await
        {
            let records = txt_records(&String::from_utf8_lossy(&answer));
            found.extend(records.iter().map(|record| (Source::Dns, read_txt(record, &check))));
        }
        found
    }
}
