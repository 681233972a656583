import { decodeParameter } from '../../mime/encodedword.ts';
import { parameter, type Parameters, parseContentType, parseDisposition } from '../../mime/parameters.ts';
import { upperAscii } from '../../mime/nstring.ts';
import type { Call, Compiler, Extension, FieldSource, TagSpec } from '../extension.ts';
import { FieldList } from '../fields.ts';
import { NO_VALUES, Values } from '../match/values.ts';
import type { Fields, HeaderView, MessagePart } from '../message.ts';
import { toOctets } from '../octets.ts';
import { currentPart } from '../parts.ts';
import type { Run } from '../run.ts';

/** RFC 5703 §4: fields of the part that a loop is at (of the message outside of one) and, with :anychild, of all inside it. */
class PartFields implements FieldSource {
  readonly #anyChild: boolean;

  constructor(anyChild: boolean) {
    this.#anyChild = anyChild;
  }

  fields(run: Run, name: string): Fields {
    const { message } = run;
    const part = currentPart(run);
    if (!this.#anyChild) return (part === null || part.parent === null ? message : part).fields(name);
    const raw: string[] = [];
    const waiting: MessagePart[] = [part ?? message.root];
    for (let next = waiting.pop(); next !== undefined; next = waiting.pop()) {
      run.spend(1);
      // The message's own header may have been edited.
      const header: HeaderView = next.parent === null ? message : next;
      raw.push(...header.fields(name).raw);
      for (let i = next.children.length - 1; i >= 0; i--) waiting.push(next.children[i] as MessagePart);
    }
    return new FieldList(raw, run.separators);
  }
}

/** What a MIMEOPT takes of the value of a structured field. */
type Extract = (value: string, name: string) => string[];

/** Fields of which not the values count but something that stands in them. */
class ExtractedFields implements Fields {
  readonly #inner: Fields;
  readonly #name: string;
  readonly #extract: Extract;
  #values: Values | null = null;

  constructor(inner: Fields, name: string, extract: Extract) {
    this.#inner = inner;
    this.#name = name;
    this.#extract = extract;
  }

  get raw(): readonly string[] {
    return this.values.items;
  }

  get values(): Values {
    return this.#values ??= new Values(this.#inner.raw.flatMap((value) => this.#extract(value, this.#name)));
  }

  addresses(): Values {
    return NO_VALUES;
  }

  only(index: number, last: boolean): Fields {
    return new ExtractedFields(this.#inner.only(index, last), this.#name, this.#extract);
  }
}

/** What stands before the parameters: `text/plain`, `inline`. Blank in fields that have no such value (RFC 5703 §4.1). */
function contentTypeOf(value: string, name: string): string[] {
  if (name !== 'content-type' && name !== 'content-disposition') return [''];
  const end = /[;\s(]/.exec(value)?.index ?? value.length;
  return [value.slice(0, end)];
}

function typeOf(value: string, name: string): string[] {
  return contentTypeOf(value, name).map((all) => all.split('/')[0] ?? '');
}

function subtypeOf(value: string, name: string): string[] {
  return contentTypeOf(value, name).map((all) => all.split('/')[1] ?? '');
}

function parametersOf(value: string, name: string): Parameters {
  const parsed = name === 'content-type' ? parseContentType(value) : parseDisposition(value);
  return parsed?.parameters ?? [];
}

/** The values of parameters by their names, decoded (RFC 2231). */
function named(names: readonly string[]): Extract {
  return (value, field) => {
    const given = parametersOf(value, field);
    return names.flatMap((name) => {
      const plain = parameter(given, upperAscii(name));
      if (plain !== null) return toOctets(decodeParameter(plain, false));
      const extended = parameter(given, upperAscii(name) + '*');
      return extended === null ? [] : toOctets(decodeParameter(extended, true));
    });
  };
}

/** A source that takes something out of the fields of another. */
function extracting(extract: (run: Run) => Extract): NonNullable<TagSpec['source']> {
  return (call, compiler, inner) => {
    if (!call.has('mime')) {
      compiler.error(
        call.node.position,
        `the ${call.node.name} test: ':type', ':subtype', ':contenttype' and ':param' need ':mime'`,
      );
    }
    return {
      fields: (run, name) => new ExtractedFields(inner.fields(run, name), name, extract(run)),
    };
  };
}

function namedSource(call: Call, compiler: Compiler, inner: FieldSource): FieldSource {
  const names = call.texts('param');
  return extracting((run) => named(names.values(run)))(call, compiler, inner);
}

const MIME: TagSpec = {
  name: 'mime',
  origin: (call) => new PartFields(call.has('anychild')),
};

const ANYCHILD: TagSpec = {
  name: 'anychild',
  source(call, compiler, inner) {
    if (!call.has('mime')) {
      compiler.error(call.position('anychild'), `the ${call.node.name} test: ':anychild' needs ':mime'`);
    }
    return inner;
  },
};

const OPTIONS: readonly TagSpec[] = [
  { name: 'type', group: 'mimeopts', source: extracting(() => typeOf) },
  { name: 'subtype', group: 'mimeopts', source: extracting(() => subtypeOf) },
  { name: 'contenttype', group: 'mimeopts', source: extracting(() => contentTypeOf) },
  { name: 'param', group: 'mimeopts', parameter: { name: 'param', type: 'strings' }, source: namedSource },
];

/** RFC 5703 §4: header, address and exists over the headers of parts. */
export const mime: Extension = {
  capability: 'mime',
  tags: [
    ...[MIME, ANYCHILD].map((tag) => ({ on: ['header', 'address', 'exists'], tag })),
    ...OPTIONS.map((tag) => ({ on: ['header'], tag })),
  ],
};
