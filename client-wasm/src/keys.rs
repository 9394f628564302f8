//! Ed25519 keys, with what the browser has for them: `crypto.subtle`.
//!
//! Pages that came over plain HTTP have none of it, and old browsers have no Ed25519: then there is no
//! key, and nothing is verified.

use js_sys::{Array, Promise, Reflect, Uint8Array};
use pigeonhub_protocol::PeerId;
use wasm_bindgen::prelude::*;
use wasm_bindgen_futures::JsFuture;

use crate::ambient;

const ED25519: &str = "Ed25519";
/// What stands before the 32 bytes of a key in PKCS #8 (RFC 8410).
const PKCS8: [u8; 16] = *b"\x30\x2e\x02\x01\x00\x30\x05\x06\x03\x2b\x65\x70\x04\x22\x04\x20";

#[wasm_bindgen]
extern "C" {
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = importKey)]
    fn import_key(
        format: &str,
        bytes: &[u8],
        algorithm: &str,
        extractable: bool,
        usages: &Array,
    ) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = exportKey)]
    fn export_key(format: &str, key: &JsValue) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = sign)]
    fn sign(algorithm: &str, key: &JsValue, text: &[u8]) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = verify)]
    fn verify(algorithm: &str, key: &JsValue, signature: &[u8], text: &[u8]) -> Result<Promise, JsValue>;
    #[wasm_bindgen(catch, js_namespace = ["crypto", "subtle"], js_name = digest)]
    fn digest(algorithm: &str, bytes: &[u8]) -> Result<Promise, JsValue>;
    /// Base64 of a text whose characters are bytes.
    #[wasm_bindgen(js_name = btoa)]
    fn encode(bytes: &str) -> String;
    #[wasm_bindgen(catch, js_name = atob)]
    fn decode(base64: &str) -> Result<String, JsValue>;
}

/// A peer's key.
pub(crate) struct Key {
    /// The secret: whoever has this text is this peer.
    text: String,
    signer: JsValue,
    /// What others may know, 32 bytes in base64.
    public: String,
    peer: PeerId,
}

impl Key {
    /// The key with this seed, 32 bytes; none where browsers have none.
    pub(crate) async fn of(seed: &[u8]) -> Option<Self> {
        let import =
            import_key("pkcs8", &[&PKCS8, seed].concat(), ED25519, true, &Array::of1(&"sign".into()));
        let signer = done(import).await?;
        // Only in this form does it tell what belongs to it.
        let form = done(export_key("jwk", &signer)).await?;
        let public = Reflect::get(&form, &"x".into()).ok()?.as_string()?;
        let standard = |c| match c {
            '-' => '+',
            '_' => '/',
            c => c,
        };
        let public: String = public.chars().map(standard).chain(['=']).collect();
        let peer = peer_of(&public).await?;
        Some(Self { text: base64(seed), signer, public, peer })
    }

    /// The secret as text, as `pigeonhub keygen` writes it: 32 bytes in base64.
    pub(crate) fn text(&self) -> &str {
        &self.text
    }

    /// The public key in base64.
    pub(crate) fn public(&self) -> &str {
        &self.public
    }

    /// The id of the peer with this key.
    pub(crate) const fn peer(&self) -> PeerId {
        self.peer
    }

    /// The signature of a text, in base64.
    pub(crate) async fn sign(&self, text: &str) -> Option<String> {
        let signature = done(sign(ED25519, &self.signer, text.as_bytes())).await?;
        Some(base64(&Uint8Array::new(&signature).to_vec()))
    }
}

/// The seed of a key that nobody has had.
pub(crate) fn fresh_seed() -> Vec<u8> {
    ambient::dice::<32>().into()
}

/// Whether this is the text of a key.
pub(crate) fn is_text(text: &str) -> bool {
    seed(text).is_some()
}

/// The seed of the key whose [text](Key::text) this is.
pub(crate) fn seed(text: &str) -> Option<Vec<u8>> {
    bytes(text.trim()).filter(|seed| seed.len() == 32)
}

/// The id of the peer with this public key: its SHA-1.
pub(crate) async fn peer_of(public: &str) -> Option<PeerId> {
    Some(PeerId::from_bytes(hash(&bytes(public)?).await?))
}

/// The SHA-1 of some bytes, in hexadecimal digits; none where browsers have none.
pub(crate) async fn sha1(bytes: &[u8]) -> Option<String> {
    // Ids of peers are written so.
    Some(PeerId::from_bytes(hash(bytes).await?).as_str().into())
}

async fn hash(bytes: &[u8]) -> Option<[u8; 20]> {
    let hash = done(digest("SHA-1", bytes)).await?;
    Uint8Array::new(&hash).to_vec().try_into().ok()
}

/// Whether the holder of the public key signed the text.
pub(crate) async fn holds(text: &str, public: &str, signature: &str) -> bool {
    let verified = async {
        let import = import_key("raw", &bytes(public)?, ED25519, false, &Array::of1(&"verify".into()));
        let key = done(import).await?;
        done(verify(ED25519, &key, &bytes(signature)?, text.as_bytes())).await
    };
    verified.await.is_some_and(|holds| holds.is_truthy())
}

/// Whether this browser has what all of this needs, in this page.
pub(crate) async fn are_supported() -> bool {
    Key::of(&fresh_seed()).await.is_some()
}

async fn done(promise: Result<Promise, JsValue>) -> Option<JsValue> {
    JsFuture::from(promise.ok()?).await.ok()
}

fn base64(bytes: &[u8]) -> String {
    encode(&bytes.iter().copied().map(char::from).collect::<String>())
}

fn bytes(base64: &str) -> Option<Vec<u8>> {
    // Only characters that are bytes come out of it.
    decode(base64).ok()?.chars().map(|c| u8::try_from(c).ok()).collect()
}
