import type {
  CallSpec,
  CommandSpec,
  Extension,
  Namespace,
  Parameter,
  TagSpec,
  TestSpec,
} from './extension.ts';
import type { MatchType } from './match/matcher.ts';

/** Something an extension brings, with the capability that makes it known. */
export interface Provided<T> {
  readonly capability: string;
  readonly value: T;
}

export interface ProvidedMatchType {
  readonly type: MatchType;
  readonly parameter: Parameter | null;
}

/** All that a list of extensions brings, by name. A name may be brought by several (addflag of imap4flags and of imapflags). */
export class Registry {
  readonly extensions = new Map<string, Extension>();
  readonly commands = new Map<string, Provided<CommandSpec>[]>();
  readonly tests = new Map<string, Provided<TestSpec>[]>();
  readonly matchTypes = new Map<string, Provided<ProvidedMatchType>[]>();
  readonly addressParts = new Map<string, Provided<string>[]>();
  readonly namespaces = new Map<string, Provided<Namespace>[]>();
  /** By the name of the tag. */
  readonly #tags = new Map<string, Provided<{ readonly on: readonly string[]; readonly tag: TagSpec }>[]>();

  constructor(extensions: readonly Extension[]) {
    for (const extension of extensions) {
      const { capability } = extension;
      this.extensions.set(capability, extension);
      for (const spec of extension.commands ?? []) add(this.commands, spec.name, capability, spec);
      for (const spec of extension.tests ?? []) add(this.tests, spec.name, capability, spec);
      for (const space of extension.namespaces ?? []) add(this.namespaces, space.name, capability, space);
      for (const given of extension.tags ?? []) add(this.#tags, given.tag.name, capability, given);
      for (const part of extension.addressParts ?? []) {
        add(this.addressParts, part, capability, part as string);
      }
      for (const type of extension.matchTypes ?? []) {
        add(this.matchTypes, type.name, capability, { type, parameter: extension.matchParameter ?? null });
      }
    }
  }

  /** True if a name may be a tag of a command or test. */
  isTag(call: string, name: string): boolean {
    if (this.tags(call, name).length > 0) return true;
    const specs = [...this.commands.get(call) ?? [], ...this.tests.get(call) ?? []].map(({ value }) =>
      value as CallSpec
    );
    return specs.some((spec) =>
      spec.tags?.some((tag) => tag.name === name) === true ||
      spec.match === true && (name === 'comparator' || this.matchTypes.has(name)) ||
      spec.addressPart === true && this.addressParts.has(name)
    );
  }

  /** The tags of a name that extensions bring for a command or test. */
  tags(call: string, tag: string): Provided<TagSpec>[] {
    return (this.#tags.get(tag) ?? []).filter(({ value }) => value.on.includes(call))
      .map(({ capability, value }) => ({ capability, value: value.tag }));
  }
}

function add<T>(map: Map<string, Provided<T>[]>, name: string, capability: string, value: T): void {
  const known = map.get(name);
  if (known === undefined) map.set(name, [{ capability, value }]);
  else known.push({ capability, value });
}
