/** A small, obvious reader and writer of IMAP data lists (RFC 9051 §4), the model for what mime renders. */

/** NIL is null, a number a number, a string a string. */
export type Data = null | number | string | Data[];

/** Reads one element and demands that nothing follows. Throws for anything the grammar does not allow. */
export function readData(text: string): Data {
  if (/[^\0-\xff]/.test(text)) throw new Error('a char that is no byte');
  const at = { pos: 0 };
  const data = readElement(text, at);
  if (at.pos !== text.length) throw new Error(`unread text at ${at.pos}: ${text.slice(at.pos, at.pos + 40)}`);
  return data;
}

function readElement(text: string, at: { pos: number }): Data {
  const c = text[at.pos];
  if (c === '(') {
    const list: Data[] = [];
    at.pos++;
    while (text[at.pos] !== ')') {
      if (at.pos >= text.length) throw new Error('list without end');
      // Lists stand next to each other (bodies, addresses); everything else is separated by one space.
      if (list.length > 0 && text[at.pos] === ' ') at.pos++;
      else if (list.length > 0 && !(Array.isArray(list.at(-1)) && text[at.pos] === '(')) {
        throw new Error(`no space at ${at.pos}`);
      }
      list.push(readElement(text, at));
    }
    at.pos++;
    return list;
  }
  if (c === '"') {
    let value = '';
    for (at.pos++; text[at.pos] !== '"'; at.pos++) {
      if (text[at.pos] === '\\') {
        at.pos++;
        if (text[at.pos] !== '"' && text[at.pos] !== '\\') {
          throw new Error('only quotes and backslashes are escaped');
        }
      }
      const code = text.charCodeAt(at.pos);
      if (Number.isNaN(code) || code === 0 || code === 10 || code === 13 || code > 127) {
        throw new Error(`char ${code} in a quoted string`);
      }
      value += text[at.pos];
    }
    at.pos++;
    return value;
  }
  const literal = /^\{(\d+)\}\r\n/.exec(text.slice(at.pos, at.pos + 20));
  if (literal !== null) {
    const start = at.pos + literal[0].length;
    at.pos = start + Number(literal[1]);
    const value = text.slice(start, at.pos);
    if (value.length !== Number(literal[1])) throw new Error('literal beyond the end');
    if (value.includes('\0')) throw new Error('NUL in a literal');
    return value;
  }
  const word = /^(?:NIL|\d+)(?=[ )]|$)/.exec(text.slice(at.pos, at.pos + 20));
  if (word === null) throw new Error(`no element at ${at.pos}: ${text.slice(at.pos, at.pos + 40)}`);
  at.pos += word[0].length;
  return word[0] === 'NIL' ? null : Number(word[0]);
}

/** BODY of a BODYSTRUCTURE, by the grammar (RFC 9051 §9 body, §7.5.2) and by recursion. */
export function bodyModel(body: Data): Data {
  if (!Array.isArray(body)) throw new Error('a body is a list');
  if (Array.isArray(body[0])) {
    const children = body.findIndex((element) => !Array.isArray(element));
    return [...body.slice(0, children).map(bodyModel), body[children] as Data];
  }
  if (body[0] === 'TEXT') return body.slice(0, 8);
  if (body[0] === 'MESSAGE' && (body[1] === 'RFC822' || body[1] === 'GLOBAL')) {
    return [...body.slice(0, 8), bodyModel(body[8] as Data), body[9] as Data];
  }
  return body.slice(0, 7);
}
