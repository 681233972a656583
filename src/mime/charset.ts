/** Bytes to Unicode by the charset's name, for what the runtime's TextDecoder knows (the WHATWG encodings). */

/** Names seen in mail that TextDecoder does not list. */
const OTHER_NAMES: ReadonlyMap<string, string> = new Map([
  ['cp932', 'shift_jis'],
  ['cp936', 'gbk'],
  ['cp949', 'euc-kr'],
  ['cp950', 'big5'],
  ['gb18030-2022', 'gb18030'],
  ['utf8mb4', 'utf-8'],
]);

/** Names that promise nothing about 8-bit bytes; senders put raw UTF-8 under them. */
const UNLABELLED: ReadonlySet<string> = new Set([
  '',
  'us-ascii',
  'ascii',
  'ansi_x3.4-1968',
  'unknown-8bit',
  'x-unknown',
]);

type Label = ConstructorParameters<typeof TextDecoder>[0];

const decoders = new Map<string, TextDecoder | null>();

/** Decoders are kept by name; a sender who invents names must not fill this map. */
const MOST_NAMES = 256;

const strictUtf8 = new TextDecoder('utf-8', { fatal: true, ignoreBOM: true });

/**
 * Decodes bytes. Invalid sequences become U+FFFD. An unknown charset is guessed as `decodeUnlabelled` does, so that
 * text is never lost and nothing throws.
 */
export function decodeCharset(bytes: Uint8Array, charset: string): string {
  const decoder = decoderFor(charset);
  return decoder === null ? decodeUnlabelled(bytes) : decoder.decode(bytes);
}

/** True if `decodeCharset` follows this charset rather than guess. UTF-7 is not known, as it hides ASCII in ASCII. */
export function knownCharset(charset: string): boolean {
  return UNLABELLED.has(charset.toLowerCase()) || decoderFor(charset) !== null;
}

/** Encodings in which bytes below 128 do not stand for ASCII by themselves, by the runtime's names. */
const NOT_ASCII: ReadonlySet<string> = new Set(['utf-16le', 'utf-16be', 'iso-2022-jp', 'replacement']);

/** True where bytes that are all below 128 decode to the same ASCII characters. Null is no declared charset. */
export function charsetKeepsAscii(charset: string | null): boolean {
  const decoder = charset === null ? null : decoderFor(charset);
  return decoder === null || !NOT_ASCII.has(decoder.encoding);
}

/** Bytes of no declared charset: UTF-8 where they are valid UTF-8 (RFC 6532), else one char per byte. */
export function decodeUnlabelled(bytes: Uint8Array): string {
  try {
    return strictUtf8.decode(bytes);
  } catch {
    return Buffer.from(bytes.buffer, bytes.byteOffset, bytes.byteLength).toString('latin1');
  }
}

/** `decodeUnlabelled` for a latin1 string, at no cost where it is plain ASCII. */
export function decodeRawText(text: string): string {
  for (let i = 0; i < text.length; i++) {
    if (text.charCodeAt(i) > 127) return decodeUnlabelled(Buffer.from(text, 'latin1'));
  }
  return text;
}

function decoderFor(charset: string): TextDecoder | null {
  if (charset.length > 64) return null;
  const name = charset.trim().toLowerCase();
  if (UNLABELLED.has(name)) return null;
  const known = decoders.get(name);
  if (known !== undefined) return known;
  let decoder: TextDecoder | null = null;
  try {
    decoder = new TextDecoder((OTHER_NAMES.get(name) ?? name) as Label);
  } catch {
    // Unknown to the runtime: null says so.
  }
  if (decoders.size < MOST_NAMES) decoders.set(name, decoder);
  return decoder;
}
