// Whether an Ed25519 signature is good, with what this runtime has: Node's own, or WebCrypto.

/** True when `signature` is the one of `publicKey` (32 bytes) over `message`. */
export type Verifier = (
  publicKey: Uint8Array<ArrayBuffer>,
  message: Uint8Array<ArrayBuffer>,
  signature: Uint8Array<ArrayBuffer>,
) => boolean | Promise<boolean>;

/** What stands before the 32 bytes of a public key in SubjectPublicKeyInfo (RFC 8410). */
const SPKI = [0x30, 0x2a, 0x30, 0x05, 0x06, 0x03, 0x2b, 0x65, 0x70, 0x03, 0x21, 0x00];

/** Throws where the runtime knows nothing of Ed25519. */
export const verifyEd25519: Verifier = async (publicKey, message, signature) => {
  // First, because Node 20 calls its WebCrypto Ed25519 experimental on every start.
  const node = globalThis.process?.getBuiltinModule?.('node:crypto');
  if (node) {
    const key = node.createPublicKey({
      key: Buffer.from([...SPKI, ...publicKey]),
      format: 'der',
      type: 'spki',
    });
    return node.verify(null, message, key, signature);
  }
  const subtle = globalThis.crypto.subtle;
  const key = await subtle.importKey('raw', publicKey, { name: 'Ed25519' }, false, ['verify']);
  return subtle.verify({ name: 'Ed25519' }, key, signature, message);
};
