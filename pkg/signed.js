// Signed JSON: Ed25519 over the canonical text of a value, with what browsers and Node.js have for it.

/** Canonical JSON (RFC 8785). */
export const canonical = (value) => {
  if (Array.isArray(value)) return `[${value.map(canonical).join(',')}]`;
  if (value === null || typeof value !== 'object') return JSON.stringify(value);
  const fields = Object.keys(value).sort().map((name) => `${JSON.stringify(name)}:${canonical(value[name])}`);
  return `{${fields.join(',')}}`;
};

const bytes = (base64) => Uint8Array.from(atob(base64), (c) => c.charCodeAt(0));
const hex = (buffer) => Array.from(new Uint8Array(buffer), (byte) => byte.toString(16).padStart(2, '0')).join('');

/** Whether the key signed the text; undefined if this browser cannot tell. */
export async function holds(text, publicKey, signature) {
  const subtle = globalThis.crypto?.subtle;
  if (!subtle) return undefined;
  try {
    const key = await subtle.importKey('raw', bytes(publicKey), 'Ed25519', false, ['verify']);
    return await subtle.verify('Ed25519', key, bytes(signature), new TextEncoder().encode(text));
  } catch (error) {
    return error?.name === 'NotSupportedError' ? undefined : false;
  }
}

/** The SHA-1 of a text, as topics have it; throws where there is no `crypto.subtle`. */
export const sha1 = async (text) => hex(await crypto.subtle.digest('SHA-1', new TextEncoder().encode(text)));

/** The id of the peer with this public key. */
export const peerIdOf = async (publicKey) => hex(await crypto.subtle.digest('SHA-1', bytes(publicKey)));
