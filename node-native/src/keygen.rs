//! `pigeonhub keygen`: a new key, and what it is called.

use pigeonhub_protocol::http_signature::encode_key;

use crate::{Config, Error, key};

/// Lines for an environment file: the key, which is to be kept secret, and what others may know.
///
/// # Errors
/// [`Error::Randomness`].
pub fn keygen() -> Result<String, Error> {
    let new = key::fresh()?;
    let public = encode_key(&new.verifying_key());
    let node = key::node_id(&Config::default(), &new);
    Ok(format!("NODE_KEY={}\n# public key: {public}\n# node id: {node}\n", key::text(&new)))
}
