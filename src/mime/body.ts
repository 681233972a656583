/** BODY, the form of BODYSTRUCTURE without extension data (RFC 9051 §7.5.2), cut out of a stored BODYSTRUCTURE. */

const QUOTE = 34;
const OPEN = 40;
const CLOSE = 41;
const SPACE = 32;
const LBRACE = 123;
const BACKSLASH = 92;

/** A list on the way down: how many elements have begun, and what it is. */
interface OpenList {
  elements: number;
  /** A body: its extension data is cut. Any other list (parameters, envelope, addresses) is copied. */
  readonly body: boolean;
  /** Elements a body keeps; known when its second element has been seen. */
  keep: number;
  /** First element, for the single parts. */
  type: string;
}

/**
 * Derives BODY from a rendered BODYSTRUCTURE. Only for strings that `parseMessage` rendered; linear in their length.
 */
export function bodyFromStructure(bodystructure: string): string {
  const text = bodystructure;
  const open: OpenList[] = [];
  let out = '';
  let copied = 0;
  let pos = 0;
  while (pos < text.length) {
    const c = text.charCodeAt(pos);
    const list = open.at(-1);
    if (c === SPACE) {
      pos++;
      continue;
    }
    if (c === CLOSE) {
      open.pop();
      pos++;
      continue;
    }
    if (list !== undefined && list.body && list.elements === list.keep) {
      // Everything up to the end of this list is extension data, with the blank before it.
      out += text.slice(copied, pos - 1);
      pos = copied = listEnd(text, pos);
      continue;
    }
    const end = c === OPEN ? pos + 1 : elementEnd(text, pos);
    if (list?.body) noteElement(list, text, pos, end, c === OPEN);
    if (c === OPEN) {
      // A list is a body if it is the outermost, begins a multipart's element, or stands where a message has its own.
      const body = list === undefined || (list.body && (list.keep === MULTIPART || isMessageBody(list)));
      open.push({ elements: 0, body, keep: body ? UNKNOWN : Infinity, type: '' });
    }
    pos = end;
  }
  return out + text.slice(copied);
}

const UNKNOWN = -1;
const MULTIPART = -2;

/** Counts an element of a body list and learns from the first two what the list is. */
function noteElement(list: OpenList, text: string, start: number, end: number, isList: boolean): void {
  if (list.keep === MULTIPART) {
    // The subtype follows the children; nothing else is kept.
    if (!isList) list.keep = list.elements = 1;
    return;
  }
  list.elements++;
  if (list.elements === 1) {
    if (isList) list.keep = MULTIPART;
    else list.type = text.slice(start, end);
  } else if (list.elements === 2) {
    const subtype = text.slice(start, end);
    if (list.type === '"TEXT"') list.keep = 8;
    else if (list.type === '"MESSAGE"' && (subtype === '"RFC822"' || subtype === '"GLOBAL"')) list.keep = 10;
    else list.keep = 7;
  }
}

/** The ninth element of a message/rfc822 body is the body of the encapsulated message. */
function isMessageBody(list: OpenList): boolean {
  return list.keep === 10 && list.elements === 9;
}

/** Behind the string, number or NIL that starts at `pos`. */
function elementEnd(text: string, pos: number): number {
  const c = text.charCodeAt(pos);
  let end = pos + 1;
  if (c === QUOTE) {
    while (end < text.length && text.charCodeAt(end) !== QUOTE) {
      end += text.charCodeAt(end) === BACKSLASH ? 2 : 1;
    }
    return end + 1;
  }
  if (c === LBRACE) {
    const brace = text.indexOf('}', pos);
    if (brace < 0) return text.length;
    return brace + 3 + Number(text.slice(pos + 1, brace));
  }
  while (end < text.length) {
    const next = text.charCodeAt(end);
    if (next === SPACE || next === CLOSE) break;
    end++;
  }
  return end;
}

/** The offset of the `)` that ends the list in which the element at `pos` stands. */
function listEnd(text: string, pos: number): number {
  let depth = 0;
  let at = pos;
  while (at < text.length) {
    const c = text.charCodeAt(at);
    if (c === SPACE) at++;
    else if (c === OPEN) {
      depth++;
      at++;
    } else if (c === CLOSE) {
      if (depth === 0) return at;
      depth--;
      at++;
    } else at = elementEnd(text, at);
  }
  return at;
}
