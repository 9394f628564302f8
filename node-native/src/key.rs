//! The node's key: given by the operator, or new.

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pigeonhub_protocol::NodeId;
use pigeonhub_protocol::http_signature::SigningKey;
use sha2::{Digest, Sha256};

use crate::{Config, Error};

/// The key of the configuration, or a new one.
///
/// # Errors
/// [`Error::Option`]: it is no key. [`Error::Randomness`].
pub fn signing_key(config: &Config) -> Result<SigningKey, Error> {
    let seed = match &config.node_key {
        Some(text) => seed(text.trim()).ok_or_else(|| Error::Option {
            option: "NODE_KEY",
            reason: "not 32 bytes in hexadecimal or base64".into(),
        })?,
        None => {
            let mut seed = [0; 32];
            getrandom::fill(&mut seed).map_err(Error::Randomness)?;
            seed
        }
    };
    Ok(SigningKey::from_bytes(&seed))
}

fn seed(text: &str) -> Option<[u8; 32]> {
    if text.len() != 64 {
        return STANDARD.decode(text).ok()?.try_into().ok();
    }
    let mut seed = [0; 32];
    for (byte, digits) in seed.iter_mut().zip(text.as_bytes().chunks_exact(2)) {
        *byte = u8::from_str_radix(str::from_utf8(digits).ok()?, 16).ok()?;
    }
    Some(seed)
}

/// The name of the configuration, or one made from the key: the same key, the same name.
pub fn node_id(config: &Config, key: &SigningKey) -> NodeId {
    config.node_id.clone().unwrap_or_else(|| {
        let digest = Sha256::digest(key.verifying_key().as_bytes());
        let digits: String = digest.iter().take(6).map(|byte| format!("{byte:02x}")).collect();
        format!("node-{digits}").parse().unwrap_or_else(|_| unreachable!("letters and digits"))
    })
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn a_key_is_read_in_both_spellings_and_names_the_node() {
        let hex = Config { node_key: Some("01".repeat(32)), ..Config::default() };
        let base64 = Config { node_key: Some(STANDARD.encode([1; 32])), ..Config::default() };
        let (a, b) = (signing_key(&hex).unwrap(), signing_key(&base64).unwrap());
        assert_eq!(a, b);
        assert_eq!(node_id(&hex, &a), node_id(&base64, &b));
        let short = Config { node_key: Some("0101".into()), ..Config::default() };
        assert!(signing_key(&short).is_err());
    }
}
