/** The older notify of Cyrus (draft-martin-sieve-notify-01): no URI, but a method by its name, and notifications that can be taken back. */
import { act } from '../action.ts';
import type { CommandSpec, Extension, TagSpec } from '../extension.ts';
import { asciiCasemap } from '../match/asciicasemap.ts';
import type { Matcher, MatchType } from '../match/matcher.ts';
import { MATCH_TYPES } from '../match/types.ts';
import { Values } from '../match/values.ts';
import { fromOctets, toOctets } from '../octets.ts';
import type { Importance, NotifyAction } from '../result.ts';
import type { Command, Run } from '../run.ts';
import type { Text, Texts } from '../text.ts';
import { checkLimit } from './enotify.ts';
import { inTurns } from '../slices.ts';

const PRIORITIES: Readonly<Record<string, Importance>> = { high: 1, normal: 2, low: 3 };

const PRIORITY_TAGS: readonly TagSpec[] = Object.keys(PRIORITIES).map((name) => ({
  name,
  group: 'priority',
}));

function priorityOf(call: { has(name: string): boolean }): Importance | null {
  for (const [name, importance] of Object.entries(PRIORITIES)) if (call.has(name)) return importance;
  return null;
}

class OldNotify implements Command {
  readonly #method: Text | null;
  readonly #id: Text | null;
  readonly #options: Texts | null;
  readonly #message: Text | null;
  readonly #importance: Importance;

  constructor(
    parts: {
      method: Text | null;
      id: Text | null;
      options: Texts | null;
      message: Text | null;
      importance: Importance;
    },
  ) {
    this.#method = parts.method;
    this.#id = parts.id;
    this.#options = parts.options;
    this.#message = parts.message;
    this.#importance = parts.importance;
  }

  execute(run: Run): void | Promise<void> {
    checkLimit(run);
    const draft = this.#message?.value(run) ?? '$from$: $subject$';
    const texts = BODY_WORD.test(draft) ? inTurns(run.message.textBody(), run.host.pause) : [];
    return texts instanceof Promise
      ? texts.then(([text]) => this.#notify(run, draft, text ?? ''))
      : this.#notify(run, draft, texts[0] ?? '');
  }

  #notify(run: Run, draft: string, body: string): void {
    const name = fromOctets(this.#method?.value(run) ?? 'default');
    const id = this.#id === null ? null : fromOctets(this.#id.value(run));
    act(run, {
      kind: 'notify',
      method: { scheme: '', name, id },
      importance: this.#importance,
      options: (this.#options?.values(run) ?? []).map(fromOctets),
      message: fromOctets(filled(run, draft, body)),
      fcc: null,
    }, () => `notify by the method "${name}"`);
  }
}

/** Stands for the text of the message, or the first octets of it. */
const BODY_WORD = /\$text(?:\[\d{1,6}\])?\$/;

/** The words of the draft that stand for parts of the message. */
function filled(run: Run, message: string, body: string): string {
  const text = message.replace(
    /\$(?:(from|env-from|subject)|text(?:\[(\d{1,6})\])?)\$/g,
    (_, name?: string, size?: string) => {
      if (name === 'env-from') return run.envelope.from;
      if (name !== undefined) return run.message.fields(name).values.items[0] ?? '';
      return size === undefined ? body : body.slice(0, Number(size));
    },
  );
  return run.allocate(text.slice(0, run.limits.valueSize));
}

const notifyCommand: CommandSpec = {
  name: 'notify',
  tags: [
    { name: 'method', parameter: { name: 'method', type: 'string' } },
    { name: 'id', parameter: { name: 'id', type: 'string' } },
    { name: 'options', parameter: { name: 'options', type: 'strings' } },
    { name: 'message', parameter: { name: 'message', type: 'string' } },
    ...PRIORITY_TAGS,
  ],
  parameters: [],
  emit(call, compiler) {
    const text = (name: string): Text | null => call.has(name) ? call.text(name) : null;
    compiler.command(
      call.node,
      new OldNotify({
        method: text('method'),
        id: text('id'),
        options: call.has('options') ? call.texts('options') : null,
        message: text('message'),
        importance: priorityOf(call) ?? 2,
      }),
    );
  },
};

/** Which ids are meant. */
interface IdMatch {
  readonly type: MatchType;
  readonly key: Text;
}

class Denotify implements Command {
  readonly #match: IdMatch | null;
  readonly #importance: Importance | null;

  constructor(match: IdMatch | null, importance: Importance | null) {
    this.#match = match;
    this.#importance = importance;
  }

  execute(run: Run): void {
    const matcher = this.#match?.type.compile(asciiCasemap, [this.#match.key.value(run)], null) ?? null;
    const { actions } = run.result;
    const kept = actions.filter((action) => action.kind !== 'notify' || !this.#concerns(action, matcher));
    if (run.trace !== null) run.note(`denotify: ${actions.length - kept.length} taken back`);
    actions.splice(0, actions.length, ...kept);
  }

  #concerns({ method, importance }: NotifyAction, matcher: Matcher | null): boolean {
    if (!('id' in method)) return false;
    if (this.#importance !== null && importance !== this.#importance) return false;
    return matcher === null || method.id !== null && matcher.match(new Values([toOctets(method.id)]), null);
  }
}

const denotify: CommandSpec = {
  name: 'denotify',
  tags: [
    ...MATCH_TYPES.map(({ name }): TagSpec => ({
      name,
      group: 'match type',
      parameter: { name, type: 'string' },
    })),
    ...PRIORITY_TAGS,
  ],
  parameters: [],
  emit(call, compiler) {
    const type = MATCH_TYPES.find(({ name }) => call.has(name));
    const match = type === undefined ? null : { type, key: call.text(type.name) };
    compiler.command(call.node, new Denotify(match, priorityOf(call)));
  },
};

export const notify: Extension = {
  capability: 'notify',
  commands: [notifyCommand, denotify],
  conflicts: ['enotify'],
};
