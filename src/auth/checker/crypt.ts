/** crypt(3) of the system's libcrypt, for a process that may block. */

import { CString, dlopen, type Pointer, ptr } from 'bun:ffi';
import { timingSafeEqual } from '../../crypto.ts';
import type { CheckAnswer } from './protocol.ts';

const SYMBOLS = { crypt: { args: ['ptr', 'ptr'], returns: 'ptr' } } as const;

/** libxcrypt of Debian and most, of Fedora; musl has the function in its C library. */
const LIBRARIES = ['libcrypt.so.1', 'libcrypt.so.2', 'libc.musl-x86_64.so.1', 'libc.musl-aarch64.so.1'];

let loaded: ReturnType<typeof load> | undefined;

function load() {
  for (const name of LIBRARIES) {
    try {
      return dlopen(name, SYMBOLS).symbols;
    } catch {
      // The next name.
    }
  }
  throw new Error(`there is no libcrypt on this system (tried ${LIBRARIES.join(', ')})`);
}

/** Whether a password has this hash, which is also the setting: method, cost and salt stand in it. */
export function checkCrypt(password: string, hash: string): CheckAnswer {
  const { crypt } = loaded ??= load();
  const at = crypt(ptr(Buffer.from(`${password}\0`)), ptr(Buffer.from(`${hash}\0`)));
  const made = at === null ? '*' : new CString(at as Pointer).toString();
  // A setting the library does not know is answered by "*0" or "*1" (crypt(3)).
  if (made.startsWith('*')) return { verdict: 'no', text: 'a hash that libcrypt does not know' };
  const [a, b] = [Buffer.from(made), Buffer.from(hash)];
  return { verdict: a.length === b.length && timingSafeEqual(a, b) ? 'yes' : 'no', text: '' };
}
