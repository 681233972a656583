/** Base64 of SASL exchanges, strictly as RFC 4648 §4 has it: no white space, padded, nothing behind the padding. */

const BASE64 = /^(?:[A-Za-z0-9+/]{4})*(?:[A-Za-z0-9+/]{2}==|[A-Za-z0-9+/]{3}=)?$/;

/** The bytes, or null where the text is not base64. The empty text is no bytes. */
export function decodeBase64(text: string): Uint8Array | null {
  return BASE64.test(text) ? Buffer.from(text, 'base64') : null;
}
