/** Text made ready for a message: header text as encoded-words (RFC 2047), dates (RFC 5322 §3.3), bodies as quoted-printable. */

/** Longest line of a header that is written, without its end (RFC 5322 §2.1.1). */
const LINE = 76;
/** RFC 2047 §2 allows 75; the name of a field stands on the same line. */
const LONGEST_WORD = 60;
const WORD_START = '=?UTF-8?Q?';
const WORD_END = '?=';

/** What would end a line or the header, or is no text: none of it ever gets into a field. */
const CONTROLS = /[\x00-\x1f\x7f\u2028\u2029]+/g;

/** Unicode text on one line: every run of control characters is a space. */
export function oneLine(text: string): string {
  return text.replace(CONTROLS, ' ').trim();
}

/**
 * An unstructured field with its CRLF: ASCII where it is ASCII, encoded-words where it is not, folded. Nothing in the text can
 * end the field.
 */
export function textField(name: string, text: string): string {
  return foldedField(name, encodeText(oneLine(text)));
}

/** A structured field of ASCII words; folded at blanks. Control characters go. */
export function foldedField(name: string, value: string): string {
  let out = `${name}:`;
  let line = out.length;
  for (const word of value.replace(CONTROLS, ' ').split(' ')) {
    if (word === '') continue;
    if (line + 1 + word.length > LINE && line > name.length + 1) {
      out += '\r\n ';
      line = 1;
    } else {
      out += ' ';
      line++;
    }
    out += word;
    line += word.length;
  }
  return `${out}\r\n`;
}

/** Unicode text as it stands in an unstructured field or a phrase: encoded-words with blanks between them where it is needed. */
export function encodeText(text: string): string {
  // What looks like an encoded-word would be taken for one.
  if (/^[\x20-\x7e]*$/.test(text) && !text.includes('=?')) return text;
  const words: string[] = [];
  let word = '';
  for (const char of text) {
    const piece = encodeChar(char);
    if (WORD_START.length + word.length + piece.length + WORD_END.length > LONGEST_WORD) {
      words.push(word);
      word = '';
    }
    word += piece;
  }
  words.push(word);
  return words.map((content) => `${WORD_START}${content}${WORD_END}`).join(' ');
}

/** One character by the Q encoding as it may stand in a phrase (RFC 2047 §5 rule 3); never split (§5). */
function encodeChar(char: string): string {
  if (char === ' ') return '_';
  if (/^[A-Za-z0-9!*+\-/]$/.test(char)) return char;
  let out = '';
  for (const byte of Buffer.from(char, 'utf8')) out += hex(byte);
  return out;
}

/** A display name: an atom, a quoted string, or encoded-words. */
export function phrase(name: string): string {
  const text = oneLine(name);
  if (!/^[\x20-\x7e]*$/.test(text) || text.includes('=?')) return encodeText(text);
  return /^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~ ]*$/.test(text) ? text : `"${text.replace(/["\\]/g, '\\$&')}"`;
}

/** Bytes as quoted-printable (RFC 2045 §6.7); line ends become CRLF. */
export function quotedPrintable(bytes: Uint8Array): string {
  let out = '';
  let line = '';
  const put = (piece: string): void => {
    if (line.length + piece.length > LINE - 1) {
      out += `${line}=\r\n`;
      line = '';
    }
    line += piece;
  };
  for (let at = 0; at < bytes.length; at++) {
    const byte = bytes[at] as number;
    const crlf = byte === 13 && bytes[at + 1] === 10;
    if (byte === 10 || crlf) {
      out += `${lastLine(line)}\r\n`;
      line = '';
      if (crlf) at++;
    } else if ((byte >= 33 && byte <= 126 && byte !== 61) || byte === 32 || byte === 9) {
      put(String.fromCharCode(byte));
    } else put(hex(byte));
  }
  return out + lastLine(line);
}

/** A blank at the end of a line does not last: it is encoded, on a line of its own where it no longer fits. */
function lastLine(line: string): string {
  if (!/[ \t]$/.test(line)) return line;
  const blank = hex(line.charCodeAt(line.length - 1));
  const rest = line.slice(0, -1);
  return rest.length + blank.length > LINE ? `${rest}=\r\n${blank}` : rest + blank;
}

function hex(byte: number): string {
  return `=${byte.toString(16).toUpperCase().padStart(2, '0')}`;
}

const DAYS = ['Sun', 'Mon', 'Tue', 'Wed', 'Thu', 'Fri', 'Sat'];
const MONTHS = ['Jan', 'Feb', 'Mar', 'Apr', 'May', 'Jun', 'Jul', 'Aug', 'Sep', 'Oct', 'Nov', 'Dec'];

const two = (value: number): string => value < 10 ? `0${value}` : String(value);

/** RFC 5322 §3.3 date-time in the machine's time zone, as RFC 5321 §4.4 prefers. */
export function messageDate(date: Date): string {
  const east = -date.getTimezoneOffset();
  const zone = (east < 0 ? '-' : '+') + two(Math.trunc(Math.abs(east) / 60)) + two(Math.abs(east) % 60);
  return `${DAYS[date.getDay()]}, ${date.getDate()} ${MONTHS[date.getMonth()]} ${date.getFullYear()} ` +
    `${two(date.getHours())}:${two(date.getMinutes())}:${two(date.getSeconds())} ${zone}`;
}
