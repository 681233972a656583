/** Responses (RFC 5804 §1.2, §1.3, §4) as bytes: one char per byte, UTF-8 inside. */

/** The longest quoted string (§4). */
const QUOTED = 1024;

/** A string whose text is Unicode. */
export function textString(text: string): string {
  return byteString(Buffer.from(text, 'utf8').toString('latin1'));
}

/** A string whose text has one char per byte: quoted where that can be, else a literal (§4 literal-s2c). */
export function byteString(bytes: string): string {
  return bytes.length <= QUOTED && !/[\r\n\0]/.test(bytes)
    ? `"${bytes.replace(/["\\]/g, '\\$&')}"`
    : literal(bytes);
}

/** A string as a literal, whatever it holds. */
export function literal(bytes: string): string {
  return `{${bytes.length}}\r\n${bytes}`;
}

/** @param code response code without its brackets, '' for none; @param text for people, '' for none */
export function ok(text = '', code = ''): string {
  return response('OK', text, code);
}

export function no(text: string, code = ''): string {
  return response('NO', text, code);
}

export function bye(text: string, code = ''): string {
  return response('BYE', text, code);
}

function response(word: string, text: string, code: string): string {
  return `${word}${code === '' ? '' : ` (${code})`}${text === '' ? '' : ` ${textString(text)}`}\r\n`;
}
