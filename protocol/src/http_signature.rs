//! HTTP message signatures (RFC 9421) with Ed25519, the subset that nodes use.
//!
//! Covered are `@method`, `@authority`, `@path`, `@query` and `content-digest` (RFC 9530,
//! SHA-256), with the parameters `created`, `nonce` and `keyid`. What is not covered proves
//! nothing. The caller checks that `created` is near and the nonce is new.
//!
//! Answers are signed, too, where they come through another node: `@status` and `content-digest`,
//! bound to the request by its signature.

mod answer;

use alloc::borrow::ToOwned;
use alloc::format;
use alloc::string::String;
use core::fmt::{self, Write};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer};
pub use ed25519_dalek::{SigningKey, VerifyingKey};
use sha2::{Digest, Sha256};

pub use self::answer::{Answered, sign_answer, verify_answer};

/// What is signed of a request.
#[derive(Clone, Copy, Debug)]
pub struct Request<'a> {
    /// Upper case, as in `POST`.
    pub method: &'a str,
    /// The `Host` header: host, and port unless it is the scheme's own.
    pub authority: &'a str,
    /// The path, as sent.
    pub path: &'a str,
    /// The query with its question mark; `?` if there is none.
    pub query: &'a str,
    /// The body.
    pub body: &'a [u8],
}

/// The three headers that carry the proof.
#[derive(Clone, Debug, PartialEq, Eq)]
pub struct Headers {
    /// `content-digest`.
    pub content_digest: String,
    /// `signature-input`.
    pub signature_input: String,
    /// `signature`.
    pub signature: String,
}

/// Why a proof does not hold.
#[derive(Clone, Copy, Debug, PartialEq, Eq)]
pub enum SignatureError {
    /// The headers are not of the form that nodes use.
    Malformed,
    /// The body is not the one that was signed.
    WrongDigest,
    /// The signature is not of this key and request.
    WrongSignature,
}

impl fmt::Display for SignatureError {
    fn fmt(&self, f: &mut fmt::Formatter<'_>) -> fmt::Result {
        f.write_str(match self {
            Self::Malformed => "the signature headers are malformed",
            Self::WrongDigest => "the body is not the one that was signed",
            Self::WrongSignature => "the signature does not match key and request",
        })
    }
}

impl core::error::Error for SignatureError {}

const COVERED: &str = r#"("@method" "@authority" "@path" "@query" "content-digest")"#;

/// Signs a request. `created` is in seconds since the epoch; `nonce` must be new, and `key_id` and
/// `nonce` must be free of quotes and backslashes (node ids are).
#[must_use]
pub fn sign(key: &SigningKey, key_id: &str, request: &Request<'_>, created: u64, nonce: &str) -> Headers {
    let content_digest = digest(request.body);
    let params = format!(r#"{COVERED};created={created};nonce="{nonce}";keyid="{key_id}";alg="ed25519""#);
    let base = base(request, &content_digest, &params);
    let signature = STANDARD.encode(key.sign(base.as_bytes()).to_bytes());
    Headers {
        content_digest,
        signature_input: format!("sig={params}"),
        signature: format!("sig=:{signature}:"),
    }
}

/// What a request's headers claim, before the key is known.
#[derive(Clone, Debug)]
pub struct Claim {
    /// Who says to have signed.
    pub key_id: String,
    /// When, in seconds since the epoch.
    pub created: u64,
    /// Never used twice.
    pub nonce: String,
    params: String,
    signature: Signature,
}

impl Claim {
    /// Reads the headers.
    ///
    /// # Errors
    /// [`SignatureError::Malformed`].
    pub fn parse(headers: &Headers) -> Result<Self, SignatureError> {
        Self::read(headers).ok_or(SignatureError::Malformed)
    }

    fn read(headers: &Headers) -> Option<Self> {
        let params = headers.signature_input.strip_prefix("sig=")?;
        let mut created = None;
        let mut nonce = None;
        let mut key_id = None;
        for param in params.strip_prefix(COVERED)?.split(';').skip(1) {
            let (name, value) = param.split_once('=')?;
            let text = || value.strip_prefix('"')?.strip_suffix('"').map(ToOwned::to_owned);
            match name {
                "created" => created = value.parse().ok(),
                "nonce" => nonce = text(),
                "keyid" => key_id = text(),
                "alg" if value == r#""ed25519""# => {}
                _ => return None,
            }
        }
        let signature = headers.signature.strip_prefix("sig=:")?.strip_suffix(':')?;
        let signature: [u8; 64] = STANDARD.decode(signature).ok()?.try_into().ok()?;
        Some(Self {
            key_id: key_id?,
            created: created?,
            nonce: nonce?,
            params: params.to_owned(),
            signature: Signature::from_bytes(&signature),
        })
    }

    /// Checks the claim against the request that came and the key of [`Self::key_id`].
    ///
    /// # Errors
    /// [`SignatureError::WrongDigest`], [`SignatureError::WrongSignature`].
    pub fn verify(
        &self,
        key: &VerifyingKey,
        request: &Request<'_>,
        content_digest: &str,
    ) -> Result<(), SignatureError> {
        if digest(request.body) != content_digest {
            return Err(SignatureError::WrongDigest);
        }
        let base = base(request, content_digest, &self.params);
        key.verify_strict(base.as_bytes(), &self.signature).map_err(|_| SignatureError::WrongSignature)
    }
}

/// A public key as descriptors carry it.
#[must_use]
pub fn encode_key(key: &VerifyingKey) -> String {
    STANDARD.encode(key.as_bytes())
}

/// Reads a public key out of a descriptor; `None` if it is no Ed25519 key in base64.
#[must_use]
pub fn decode_key(text: &str) -> Option<VerifyingKey> {
    let bytes: [u8; 32] = STANDARD.decode(text).ok()?.try_into().ok()?;
    VerifyingKey::from_bytes(&bytes).ok()
}

fn digest(body: &[u8]) -> String {
    format!("sha-256=:{}:", STANDARD.encode(Sha256::digest(body)))
}

fn base(request: &Request<'_>, content_digest: &str, params: &str) -> String {
    let authority = request.authority.to_ascii_lowercase();
    signature_base(
        &[
            ("@method", request.method),
            ("@authority", &authority),
            ("@path", request.path),
            ("@query", request.query),
            ("content-digest", content_digest),
        ],
        params,
    )
}

/// RFC 9421, section 2.5.
fn signature_base(components: &[(&str, &str)], params: &str) -> String {
    let mut base = String::new();
    for (name, value) in components {
        let (name, parameter) = name.split_at(name.find(';').unwrap_or(name.len()));
        // Writing to a string cannot fail.
        let _ = writeln!(base, r#""{name}"{parameter}: {value}"#);
    }
    let _ = write!(base, r#""@signature-params": {params}"#);
    base
}

#[cfg(test)]
mod tests {
    use alloc::vec::Vec;

    use base64::engine::general_purpose::URL_SAFE_NO_PAD;

    use super::*;

    fn key(seed: u8) -> SigningKey {
        SigningKey::from_bytes(&[seed; 32])
    }

    const REQUEST: Request<'_> = Request {
        method: "POST",
        authority: "node.example",
        path: "/api/route-signal",
        query: "?",
        body: b"{}",
    };

    /// RFC 9421, appendix B.2.6, with the key of B.1.4.
    #[test]
    fn the_vector_of_the_rfc() {
        let secret: Vec<u8> = URL_SAFE_NO_PAD.decode("n4Ni-HpISpVObnQMW0wOhCKROaIKqKtW_2ZYb2p9KcU").unwrap();
        let key = SigningKey::from_bytes(&secret.try_into().unwrap());
        let base = signature_base(
            &[
                ("date", "Tue, 20 Apr 2021 02:07:55 GMT"),
                ("@method", "POST"),
                ("@path", "/foo"),
                ("@authority", "example.com"),
                ("content-type", "application/json"),
                ("content-length", "18"),
            ],
            r#"("date" "@method" "@path" "@authority" "content-type" "content-length");created=1618884473;keyid="test-key-ed25519""#,
        );
        assert_eq!(
            STANDARD.encode(key.sign(base.as_bytes()).to_bytes()),
            "wqcAqbmYJ2ji2glfAMaRy4gruYYnx2nEFN2HN6jrnDnQCK1u02Gb04v9EDgwUPiu4A0w6vuQv5lIp5WPpBKRCw=="
        );
    }

    #[test]
    fn what_was_signed_verifies_and_nothing_else() {
        let headers = sign(&key(1), "node-1", &REQUEST, 1_700_000_000, "n1");
        let claim = Claim::parse(&headers).unwrap();
        assert_eq!(
            (claim.key_id.as_str(), claim.created, claim.nonce.as_str()),
            ("node-1", 1_700_000_000, "n1")
        );
        let verify =
            |key: &SigningKey, request| claim.verify(&key.verifying_key(), &request, &headers.content_digest);
        assert_eq!(verify(&key(1), REQUEST), Ok(()));
        assert_eq!(verify(&key(2), REQUEST), Err(SignatureError::WrongSignature));
        assert_eq!(verify(&key(1), Request { body: b"[]", ..REQUEST }), Err(SignatureError::WrongDigest));
        for altered in [
            Request { method: "PUT", ..REQUEST },
            Request { authority: "other.example", ..REQUEST },
            Request { path: "/api/leave", ..REQUEST },
            Request { query: "?a", ..REQUEST },
        ] {
            assert_eq!(verify(&key(1), altered), Err(SignatureError::WrongSignature), "{altered:?}");
        }
    }

    #[test]
    fn headers_of_another_form_are_refused() {
        let good = sign(&key(1), "node-1", &REQUEST, 1, "n1");
        let input = |from: &str, to: &str| Headers {
            signature_input: good.signature_input.replace(from, to),
            ..good.clone()
        };
        for bad in [
            input("sig=", "other="),
            input(r#" "content-digest""#, ""),
            input("ed25519", "hmac-sha256"),
            input("created=1", "created=x"),
            input(r#";nonce="n1""#, ""),
            Headers { signature: "sig=:AAAA:".into(), ..good.clone() },
        ] {
            assert_eq!(Claim::parse(&bad).map(drop), Err(SignatureError::Malformed), "{bad:?}");
        }
    }
}
