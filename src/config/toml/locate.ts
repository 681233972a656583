/**
 * Finds the line every key of a TOML document stands in, for messages: the parser gives values only. The
 * document has been parsed before, so its syntax is right; depth is bounded by the parser.
 */

/** The lines of the keys of one document. */
export class KeyLines {
  readonly #lines = new Map<string, number>();

  /** Notes where a key stands; the first mention counts. */
  add(path: readonly string[], line: number): void {
    const key = JSON.stringify(path);
    if (!this.#lines.has(key)) this.#lines.set(key, line);
  }

  /** The line of a key, or of the nearest table above it that has one; 0 for the document. */
  line(...path: readonly string[]): number {
    for (let length = path.length; length > 0; length--) {
      const line = this.#lines.get(JSON.stringify(path.slice(0, length)));
      if (line !== undefined) return line;
    }
    return 0;
  }
}

/** Walks a valid TOML document once. Array elements count as keys "0", "1", .... */
export function locateKeys(source: string): KeyLines {
  return new Walk(source).document();
}

class Walk {
  readonly #source: string;
  readonly #lines = new KeyLines();
  /** For every array of tables, by its path: how many tables it has so far. */
  readonly #tables = new Map<string, number>();
  #at = 0;
  #line = 1;

  constructor(source: string) {
    this.#source = source;
  }

  document(): KeyLines {
    let table: string[] = [];
    for (;;) {
      this.#blank();
      if (this.#at >= this.#source.length) return this.#lines;
      const start = this.#at;
      if (this.#peek('[')) table = this.#header();
      else this.#pair(table);
      if (this.#at === start) this.#at++; // not reached in valid TOML; never stand still
    }
  }

  /** `[table]` or `[[array of tables]]`; answers the path its keys stand below. */
  #header(): string[] {
    const array = this.#peek('[[');
    this.#at += array ? 2 : 1;
    const line = this.#line;
    let path: string[] = [];
    const parts = this.#dotted();
    parts.forEach((part, index) => {
      path = [...path, part];
      this.#lines.add(path, line);
      const key = JSON.stringify(path);
      const count = this.#tables.get(key);
      if (array && index === parts.length - 1) {
        this.#tables.set(key, (count ?? 0) + 1);
        path = [...path, String(count ?? 0)];
        this.#lines.add(path, line);
      } else if (count !== undefined) {
        path = [...path, String(count - 1)];
      }
    });
    this.#spaces();
    this.#at += array ? 2 : 1;
    return path;
  }

  /** `key = value`, with dots in the key. */
  #pair(table: readonly string[]): void {
    let path = [...table];
    const line = this.#line;
    for (const part of this.#dotted()) {
      path = [...path, part];
      this.#lines.add(path, line);
    }
    this.#spaces();
    if (this.#peek('=')) this.#at++;
    this.#spaces();
    this.#value(path);
  }

  #value(path: readonly string[]): void {
    if (this.#peek('"""') || this.#peek("'''")) this.#longString();
    else if (this.#peek('"') || this.#peek("'")) this.#shortString();
    else if (this.#peek('[')) this.#array(path);
    else if (this.#peek('{')) this.#inlineTable(path);
    else this.#at = this.#end(/[,\]}#\r\n]/g);
  }

  #array(path: readonly string[]): void {
    this.#at++;
    for (let index = 0;;) {
      this.#blank();
      if (this.#at >= this.#source.length || this.#peek(']')) break;
      if (this.#peek(',')) {
        this.#at++;
        continue;
      }
      const element = [...path, String(index++)];
      this.#lines.add(element, this.#line);
      const start = this.#at;
      this.#value(element);
      if (this.#at === start) this.#at++;
    }
    this.#at++;
  }

  #inlineTable(path: readonly string[]): void {
    this.#at++;
    for (;;) {
      this.#blank();
      if (this.#at >= this.#source.length || this.#peek('}')) break;
      if (this.#peek(',')) {
        this.#at++;
        continue;
      }
      const start = this.#at;
      this.#pair(path);
      if (this.#at === start) this.#at++;
    }
    this.#at++;
  }

  /** The parts of a dotted key, with the quotes taken off. */
  #dotted(): string[] {
    const parts: string[] = [];
    for (;;) {
      this.#spaces();
      const start = this.#at;
      if (this.#peek('"')) {
        this.#shortString();
        parts.push(unquote(this.#source.slice(start, this.#at)));
      } else if (this.#peek("'")) {
        this.#shortString();
        parts.push(this.#source.slice(start + 1, this.#at - 1));
      } else {
        this.#at = this.#end(/[^A-Za-z0-9_-]/g);
        parts.push(this.#source.slice(start, this.#at));
      }
      this.#spaces();
      if (!this.#peek('.')) return parts;
      this.#at++;
    }
  }

  #shortString(): void {
    const quote = this.#source[this.#at];
    this.#at++;
    while (this.#at < this.#source.length && this.#source[this.#at] !== quote) {
      this.#at += quote === '"' && this.#source[this.#at] === '\\' ? 2 : 1;
    }
    this.#at++;
  }

  #longString(): void {
    const quotes = this.#source.slice(this.#at, this.#at + 3);
    this.#at += 3;
    while (this.#at < this.#source.length && !this.#peek(quotes)) {
      const escaped = quotes === '"""' && this.#source[this.#at] === '\\';
      if (escaped) this.#at++;
      if (this.#source[this.#at] === '\n') this.#line++;
      this.#at++;
    }
    this.#at += 3;
    // Up to two quotes may stand in front of the closing three.
    for (let extra = 0; extra < 2 && this.#source[this.#at] === quotes[0]; extra++) this.#at++;
  }

  #peek(text: string): boolean {
    return this.#source.startsWith(text, this.#at);
  }

  #end(stop: RegExp): number {
    stop.lastIndex = this.#at;
    return stop.exec(this.#source)?.index ?? this.#source.length;
  }

  #spaces(): void {
    while (this.#source[this.#at] === ' ' || this.#source[this.#at] === '\t') this.#at++;
  }

  /** Blanks, line ends and comments. */
  #blank(): void {
    for (;; this.#at++) {
      const char = this.#source[this.#at];
      if (char === '\n') this.#line++;
      else if (char === '#') this.#at = this.#end(/\n/g) - 1;
      else if (char !== ' ' && char !== '\t' && char !== '\r') return;
    }
  }
}

/** A quoted key without its quotes. TOML's \UXXXXXXXX is the one escape JSON does not know. */
function unquote(quoted: string): string {
  try {
    return String(JSON.parse(quoted));
  } catch {
    return quoted.slice(1, -1);
  }
}
