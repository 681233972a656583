/**
 * The security layer of DIGEST-MD5: frames with a checksum (auth-int, RFC 2831 §2.3), which auth-conf also encrypts
 * (§2.4). Each direction has keys and a sequence number of its own.
 *
 *     u32 length | message | HMAC, 10 bytes | 00 01 | u32 sequence number
 */

import { createHash, createHmac, timingSafeEqual } from '../../crypto.ts';
import { syntaxError } from '../../errors.ts';
import type { SecurityLayer } from '../../net/layer.ts';
import type { Cipher, Transform } from './ciphers.ts';

const MAC = 10;
const TYPE = Buffer.of(0, 1);
/** What stands behind the message: checksum, type, sequence number. */
const TRAILER = MAC + 2 + 4;
/** A block cipher pads with at most this. */
const PADDING = 8;

/** Largest frame that is taken: what the challenge says as `maxbuf`. */
export const OUR_BUFFER = 65_536;

type Side = 'client' | 'server';

/** One direction: its checksum key, its cipher, its count. */
class Direction {
  readonly #key: Buffer;
  readonly transform: Transform | null;
  #sequence = 0;

  constructor(sessionKey: Buffer, from: Side, transform: Transform | null) {
    const way = from === 'client' ? 'client-to-server' : 'server-to-client';
    this.#key = createHash('md5')
      .update(sessionKey).update(`Digest session key to ${way} signing key magic constant`).digest();
    this.transform = transform;
  }

  /** The next sequence number, and the checksum of a message under it. */
  sign(message: Uint8Array): { number: Buffer; mac: Buffer } {
    const number = Buffer.alloc(4);
    number.writeUInt32BE(this.#sequence);
    this.#sequence = (this.#sequence + 1) >>> 0;
    const mac = createHmac('md5', this.#key).update(number).update(message).digest().subarray(0, MAC);
    return { number, mac };
  }
}

function sealingKey(sessionKey: Buffer, cipher: Cipher, from: Side): Buffer {
  const way = from === 'client' ? 'client-to-server' : 'server-to-client';
  return createHash('md5')
    .update(sessionKey.subarray(0, cipher.keyBytes))
    .update(`Digest H(A1) to ${way} sealing key magic constant`).digest();
}

/**
 * @param us which end of the connection we are
 * @param cipher null for integrity alone
 * @param theirBuffer `maxbuf` of the peer: no frame of ours is longer
 */
export function digestLayer(
  us: Side,
  sessionKey: Buffer,
  cipher: Cipher | null,
  theirBuffer: number,
): SecurityLayer {
  const them = us === 'client' ? 'server' : 'client';
  const outgoing = new Direction(
    sessionKey,
    us,
    cipher === null ? null : cipher.seal(sealingKey(sessionKey, cipher, us)),
  );
  const incoming = new Direction(
    sessionKey,
    them,
    cipher === null ? null : cipher.open(sealingKey(sessionKey, cipher, them)),
  );
  const block = cipher?.block ?? 1;
  const piece = Math.max(1, theirBuffer - TRAILER - (block > 1 ? PADDING : 0));
  let waiting: Buffer = Buffer.alloc(0);

  const frame = (message: Uint8Array): Buffer[] => {
    const { number, mac } = outgoing.sign(message);
    let body: Buffer;
    if (outgoing.transform === null) body = Buffer.concat([message, mac]);
    else {
      // §2.4: one to eight bytes, each their number, so that message, padding and checksum are whole blocks.
      const padding = block === 1 ? 0 : block - (message.length + MAC) % block;
      body = outgoing.transform(Buffer.concat([message, Buffer.alloc(padding, padding), mac]));
    }
    const length = Buffer.alloc(4);
    length.writeUInt32BE(body.length + 6);
    return [length, body, TYPE, number];
  };

  const open = (whole: Buffer): Buffer => {
    const sealed = whole.subarray(0, whole.length - 6);
    let body: Buffer = sealed;
    if (incoming.transform !== null) {
      if (sealed.length % block !== 0) throw broken();
      body = incoming.transform(sealed);
    }
    let end = body.length - MAC;
    if (block > 1) {
      const padding = body[end - 1] ?? 0;
      if (padding < 1 || padding > block || padding > end) throw broken();
      end -= padding;
    }
    const message = body.subarray(0, end);
    const { number, mac } = incoming.sign(message);
    const right = timingSafeEqual(mac, body.subarray(body.length - MAC)) &&
      whole.subarray(-6, -4).equals(TYPE) && whole.subarray(-4).equals(number);
    if (!right) throw broken();
    return message;
  };

  return {
    strength: cipher?.strength ?? 1,
    wrap(bytes) {
      const parts: Buffer[] = [];
      for (let at = 0; at < bytes.length; at += piece) parts.push(...frame(bytes.subarray(at, at + piece)));
      return Buffer.concat(parts);
    },
    unwrap(chunk) {
      waiting = waiting.length === 0 ? Buffer.from(chunk) : Buffer.concat([waiting, chunk]);
      const messages: Buffer[] = [];
      let at = 0;
      while (waiting.length - at >= 4) {
        const length = waiting.readUInt32BE(at);
        if (length > OUR_BUFFER || length < TRAILER) throw broken();
        if (waiting.length - at - 4 < length) break;
        messages.push(open(waiting.subarray(at + 4, at + 4 + length)));
        at += 4 + length;
      }
      waiting = Buffer.from(waiting.subarray(at));
      return Buffer.concat(messages);
    },
  };
}

function broken(): Error {
  return syntaxError('a frame of the security layer is damaged');
}
