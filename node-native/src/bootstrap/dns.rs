//! DNS: the records of a domain, and the addresses of nodes where an operator names the server.

use std::fmt;
use std::net::SocketAddr;

use hickory_resolver::TokioResolver;
use hickory_resolver::config::{ConnectionConfig, NameServerConfig, ResolverConfig};
use hickory_resolver::net::NetError;
use hickory_resolver::net::runtime::TokioRuntimeProvider;
use hickory_resolver::proto::rr::RData;
use reqwest::dns::{Addrs, Name, Resolve, Resolving};

use crate::Error;

/// Records of one name that are read.
const MOST: usize = 64;

/// Asks a DNS server.
#[derive(Clone)]
pub struct Dns(TokioResolver);

impl fmt::Debug for Dns {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str("Dns(…)")
    }
}

impl Dns {
    /// Asks this server.
    ///
    /// # Errors
    /// [`Error::Option`].
    pub fn at(address: SocketAddr) -> Result<Self, Error> {
        let connections = [ConnectionConfig::udp(), ConnectionConfig::tcp()].map(|mut connection| {
            connection.port = address.port();
            connection
        });
        let server = NameServerConfig::new(address.ip(), true, connections.into());
        let config = ResolverConfig::from_name_servers(vec![server]);
        let mut builder = TokioResolver::builder_with_config(config, TokioRuntimeProvider::default());
        // Sources are asked rarely, and then for news.
        builder.options_mut().cache_size = 0;
        let refused = |error: NetError| Error::Option { option: "DNS_RESOLVER", reason: error.to_string() };
        builder.build().map(Self).map_err(refused)
    }

    /// Asks the servers of the system, if it names any.
    pub fn of_system() -> Option<Self> {
        let built = TokioResolver::builder_tokio().and_then(|mut builder| {
            builder.options_mut().cache_size = 0;
            builder.build()
        });
        built
            .inspect_err(|error| tracing::warn!(%error, "the system has no DNS: no TXT records"))
            .ok()
            .map(Self)
    }

    /// The TXT records of a name, the strings of each joined.
    pub async fn txt(&self, name: &str) -> Result<Vec<String>, NetError> {
        let found = self.0.txt_lookup(name).await?;
        let records = found.answers().iter().filter_map(|record| match &record.data {
            RData::TXT(txt) => Some(String::from_utf8_lossy(&txt.txt_data.concat()).into_owned()),
            _ => None,
        });
        Ok(records.take(MOST).collect())
    }
}

impl Resolve for Dns {
    fn resolve(&self, name: Name) -> Resolving {
        let resolver = self.0.clone();
        Box::pin(async move {
            let found = resolver.lookup_ip(name.as_str()).await?;
            // The port comes from the URL.
            let addresses: Vec<_> = found.iter().map(|ip| SocketAddr::new(ip, 0)).collect();
            Ok(Box::new(addresses.into_iter()) as Addrs)
        })
    }
}
