//! Signed answers: who answered a request that another node passed on.

use alloc::format;
use alloc::string::{String, ToString};

use base64::Engine;
use base64::engine::general_purpose::STANDARD;
use ed25519_dalek::{Signature, Signer, SigningKey, VerifyingKey};

use super::{Headers, SignatureError, digest, signature_base};

const COVERED: &str = r#"("@status" "content-digest" "signature";req)"#;

/// What is signed of an answer.
#[derive(Clone, Copy, Debug)]
pub struct Answered<'a> {
    /// The `signature` header of the request: no other request has it.
    pub request: &'a str,
    /// The HTTP status.
    pub status: u16,
    /// The body.
    pub body: &'a [u8],
}

/// Signs an answer as `key_id`, which must be free of quotes and backslashes.
#[must_use]
pub fn sign_answer(key: &SigningKey, key_id: &str, answer: &Answered<'_>) -> Headers {
    let content_digest = digest(answer.body);
    let params = format!(r#"{COVERED};keyid="{key_id}";alg="ed25519""#);
    let signature = key.sign(base(answer, &content_digest, &params).as_bytes());
    Headers {
        content_digest,
        signature_input: format!("sig={params}"),
        signature: format!("sig=:{}:", STANDARD.encode(signature.to_bytes())),
    }
}

/// Checks that the holder of `key` gave this answer as `key_id`.
///
/// # Errors
/// [`SignatureError`]
pub fn verify_answer(
    headers: &Headers,
    key: &VerifyingKey,
    key_id: &str,
    answer: &Answered<'_>,
) -> Result<(), SignatureError> {
    if digest(answer.body) != headers.content_digest {
        return Err(SignatureError::WrongDigest);
    }
    let params = format!(r#"{COVERED};keyid="{key_id}";alg="ed25519""#);
    let signature = headers.signature.strip_prefix("sig=:").and_then(|rest| rest.strip_suffix(':'));
    let signature: Option<[u8; 64]> =
        signature.and_then(|signature| STANDARD.decode(signature).ok()?.try_into().ok());
    let signature = signature.filter(|_| headers.signature_input.strip_prefix("sig=") == Some(&*params));
    let signature = Signature::from_bytes(&signature.ok_or(SignatureError::Malformed)?);
    let base = base(answer, &headers.content_digest, &params);
    key.verify_strict(base.as_bytes(), &signature).map_err(|_| SignatureError::WrongSignature)
}

fn base(answer: &Answered<'_>, content_digest: &str, params: &str) -> String {
    signature_base(
        &[
            ("@status", &answer.status.to_string()),
            ("content-digest", content_digest),
            ("signature;req", answer.request),
        ],
        params,
    )
}

#[cfg(test)]
mod tests {
    use super::*;

    #[test]
    fn an_answer_is_of_one_node_to_one_request() {
        let key = SigningKey::from_bytes(&[1; 32]);
        let answer = Answered { request: "sig=:abc:", status: 200, body: b"{}" };
        let headers = sign_answer(&key, "n1", &answer);
        let verify =
            |answer: &Answered<'_>, id: &str| verify_answer(&headers, &key.verifying_key(), id, answer);
        assert_eq!(verify(&answer, "n1"), Ok(()));
        assert_eq!(verify(&answer, "n2"), Err(SignatureError::Malformed));
        assert_eq!(
            verify(&Answered { request: "sig=:abd:", ..answer }, "n1"),
            Err(SignatureError::WrongSignature)
        );
        assert_eq!(verify(&Answered { status: 201, ..answer }, "n1"), Err(SignatureError::WrongSignature));
        assert_eq!(verify(&Answered { body: b"[]", ..answer }, "n1"), Err(SignatureError::WrongDigest));
        let other = SigningKey::from_bytes(&[2; 32]).verifying_key();
        assert_eq!(verify_answer(&headers, &other, "n1", &answer), Err(SignatureError::WrongSignature));
    }
}
