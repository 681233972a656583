/** The ciphers of DIGEST-MD5's security layer (RFC 2831 §2.4); none is strong by today's measure, TLS is. */

import { nodeCrypto } from '../../crypto.ts';
import { Rc4 } from './rc4.ts';

/** Turns bytes into bytes of the same number; remembers where it is from frame to frame. */
export type Transform = (bytes: Uint8Array) => Buffer;

export interface Cipher {
  readonly name: string;
  /** Bits, as a security strength factor. */
  readonly strength: number;
  /** Bytes of H(A1) that the key is made of. */
  readonly keyBytes: number;
  /** Length of a block; 1 for a stream. */
  readonly block: number;
  /** @param key 16 bytes */
  seal(key: Buffer): Transform;
  open(key: Buffer): Transform;
}

/** In the order they are offered in, the preferred one first. */
export const CIPHERS: readonly Cipher[] = [
  stream('rc4', 128, 16),
  blocks('3des', 112, 14),
  stream('rc4-56', 56, 7),
  blocks('des', 56, 7),
  stream('rc4-40', 40, 5),
];

function stream(name: string, strength: number, keyBytes: number): Cipher {
  const make = (key: Buffer): Transform => {
    const rc4 = new Rc4(key);
    return (bytes) => rc4.apply(bytes);
  };
  return { name, strength, keyBytes, block: 1, seal: make, open: make };
}

/** CBC through all frames; the last eight bytes of the key are the first vector. */
function blocks(name: string, strength: number, used: 7 | 14): Cipher {
  const keyOf = (key: Buffer): Buffer => {
    const first = withParity(key.subarray(0, 7));
    // The runtime has no single DES: three times with one key is the same.
    const second = used === 14 ? withParity(key.subarray(7, 14)) : first;
    return Buffer.concat([first, second, first]);
  };
  const vector = (key: Buffer): Buffer => key.subarray(8, 16);
  return {
    name,
    strength,
    keyBytes: 16,
    block: 8,
    seal: (key) => {
      const cipher = nodeCrypto().createCipheriv('des-ede3-cbc', keyOf(key), vector(key)).setAutoPadding(
        false,
      );
      return (bytes) => cipher.update(bytes);
    },
    open: (key) => {
      const cipher = nodeCrypto().createDecipheriv('des-ede3-cbc', keyOf(key), vector(key)).setAutoPadding(
        false,
      );
      return (bytes) => cipher.update(bytes);
    },
  };
}

/** 56 bits as the eight bytes DES wants, each with room for a parity bit. */
function withParity(seven: Uint8Array): Buffer {
  const bits = [...seven].reduce((sum, byte) => (sum << 8n) | BigInt(byte), 0n);
  return Buffer.from(
    Array.from({ length: 8 }, (_, index) => Number((bits >> BigInt(49 - 7 * index)) & 0x7fn) << 1),
  );
}
