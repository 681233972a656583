/** RC4 with keys of any length: the runtime's takes 16 bytes only, and DIGEST-MD5 has two shorter ones. */
export class Rc4 {
  readonly #state = Uint8Array.from({ length: 256 }, (_, index) => index);
  #i = 0;
  #j = 0;

  constructor(key: Uint8Array) {
    const state = this.#state;
    for (let i = 0, j = 0; i < 256; i++) {
      const at = state[i] as number;
      j = (j + at + (key[i % key.length] as number)) & 255;
      state[i] = state[j] as number;
      state[j] = at;
    }
  }

  /** The bytes with the next piece of the key stream over them. */
  apply(bytes: Uint8Array): Buffer {
    const out = Buffer.allocUnsafe(bytes.length);
    const state = this.#state;
    let i = this.#i;
    let j = this.#j;
    for (let at = 0; at < bytes.length; at++) {
      i = (i + 1) & 255;
      const a = state[i] as number;
      j = (j + a) & 255;
      const b = state[j] as number;
      state[i] = b;
      state[j] = a;
      out[at] = (bytes[at] as number) ^ (state[(a + b) & 255] as number);
    }
    this.#i = i;
    this.#j = j;
    return out;
  }
}
