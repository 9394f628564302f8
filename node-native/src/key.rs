//! The node's key: given by the operator, kept from the last start, or new.

use std::fs::OpenOptions;
use std::io::{self, Write};
use std::os::unix::fs::OpenOptionsExt;
use std::path::Path;

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use pigeonhub_protocol::NodeId;
use pigeonhub_protocol::http_signature::SigningKey;
use sha2::{Digest, Sha256};

use crate::{Config, Error};

/// Its name in `DATA_DIR`.
const NAME: &str = "node.key";

/// The key of the configuration; else the one in `DATA_DIR`, where a new one is put if there is none;
/// else a new one.
///
/// # Errors
/// [`Error::Option`]: it is no key, or cannot be kept. [`Error::Randomness`].
pub fn signing_key(config: &Config) -> Result<SigningKey, Error> {
    match (&config.node_key, &config.data_dir) {
        (Some(text), _) => read("NODE_KEY", text),
        (None, Some(folder)) => kept(folder),
        (None, None) => fresh(),
    }
}

/// A new key.
///
/// # Errors
/// [`Error::Randomness`].
pub fn fresh() -> Result<SigningKey, Error> {
    let mut seed = [0; 32];
    getrandom::fill(&mut seed).map_err(Error::Randomness)?;
    Ok(SigningKey::from_bytes(&seed))
}

/// A key as text, as an operator gives it.
#[must_use]
pub fn text(key: &SigningKey) -> String {
    key.as_bytes().iter().map(|byte| format!("{byte:02x}")).collect()
}

fn read(option: &'static str, text: &str) -> Result<SigningKey, Error> {
    let seed = seed(text.trim());
    let wrong = || Error::Option { option, reason: "not 32 bytes in hexadecimal or base64".into() };
    seed.map(|seed| SigningKey::from_bytes(&seed)).ok_or_else(wrong)
}

fn kept(folder: &Path) -> Result<SigningKey, Error> {
    let path = folder.join(NAME);
    let failed = |error: io::Error| Error::Option {
        option: "DATA_DIR",
        reason: format!("{}: {error}", path.display()),
    };
    std::fs::create_dir_all(folder).map_err(failed)?;
    // Nobody but the node's own user reads it.
    match OpenOptions::new().write(true).create_new(true).mode(0o600).open(&path) {
        Ok(mut file) => {
            let key = fresh()?;
            file.write_all(text(&key).as_bytes()).and_then(|()| file.sync_all()).map_err(failed)?;
            Ok(key)
        }
        Err(error) if error.kind() == io::ErrorKind::AlreadyExists => {
            read("DATA_DIR", &std::fs::read_to_string(&path).map_err(failed)?)
        }
        Err(error) => Err(failed(error)),
    }
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
    fn a_key_is_kept_where_data_is() {
        let folder = std::env::temp_dir().join(format!("pigeonhub-key-{}", std::process::id()));
        let config = Config { data_dir: Some(folder.clone()), ..Config::default() };
        let key = signing_key(&config).unwrap();
        assert_eq!(signing_key(&config).unwrap(), key);
        assert_eq!(signing_key(&Config { node_key: Some(text(&key)), ..Config::default() }).unwrap(), key);
        std::fs::write(folder.join(NAME), "no key").unwrap();
        assert!(signing_key(&config).is_err());
        std::fs::remove_dir_all(folder).unwrap();
    }

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
