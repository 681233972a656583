/** RFC 5435, with the method mailto of RFC 5436; other methods are whatever the host has. */
import { act, addressWrong, checkRoom, draft, mailboxOf } from '../action.ts';
import type { Call, CommandSpec, Compiler, Extension, Modifier, TestSpec } from '../extension.ts';
import type { Keys } from '../keys.ts';
import { printable } from '../lexer.ts';
import { parseMailto, withoutAddresses } from '../mailto.ts';
import { Values } from '../match/values.ts';
import { fromOctets, lowerAscii, toOctets } from '../octets.ts';
import type { Importance, MailtoUri, NotifyMethod } from '../result.ts';
import { type Command, type Run, ScriptError, type Test } from '../run.ts';
import type { Settings } from '../settings.ts';
import type { Text, Texts } from '../text.ts';
import { modifier } from './variables.ts';

/** RFC 3986 §3.1, in lower case; '' where there is none. */
function schemeOf(uri: string): string {
  return lowerAscii(/^([A-Za-z][A-Za-z0-9+.-]*):/.exec(uri)?.[1] ?? '');
}

/** What is wrong with a URI as far as a script alone can tell, or null. */
function methodWrong(uri: string, { notify }: Settings): string | null {
  const scheme = schemeOf(uri);
  if (scheme === 'mailto') {
    const parsed = parseMailto(uri);
    return typeof parsed === 'string' ? parsed : null;
  }
  return notify.schemes.has(scheme) ? null : unknownMethod(uri, notify);
}

function unknownMethod(uri: string, { schemes }: Settings['notify']): string {
  const known = ['mailto', ...schemes].map((name) => `"${name}:"`).join(' or ');
  return `unknown notification method "${
    printable(uri.slice(0, 80))
  }": expected a URI that begins with ${known}`;
}

const PROHIBITED = 'local policy prohibits the use of a notify action';

function isSupported(uri: string, { schemes }: Settings['notify']): boolean {
  const scheme = schemeOf(uri);
  return scheme === 'mailto' || schemes.has(scheme);
}

/** §3.5 */
function optionWrong(option: string): string | null {
  return /^[A-Za-z0-9][A-Za-z0-9._-]*=[^\0\n\r]*$/.test(option)
    ? null
    : `"${printable(option)}" is no option: expected one like "name=value" (RFC 5435 §3.5)`;
}

function importanceWrong(importance: string): string | null {
  return /^[123]$/.test(importance)
    ? null
    : `the importance "${printable(importance)}" is unknown: expected "1", "2" or "3"`;
}

interface NotifyParts {
  readonly method: Text;
  readonly from: Text | null;
  readonly importance: Text | null;
  readonly options: Texts | null;
  readonly message: Text | null;
  readonly modifiers: readonly Modifier[];
}

class Notify implements Command {
  readonly #parts: NotifyParts;

  constructor(parts: NotifyParts) {
    this.#parts = parts;
  }

  execute(run: Run): void {
    const { from, importance, options, message, modifiers } = this.#parts;
    checkLimit(run);
    const uri = this.#parts.method.value(run);
    const method = methodOf(run, uri, from?.value(run) ?? null);
    if (method === null) {
      if (run.trace !== null) run.note(`notify "${fromOctets(uri)}": nobody who was not notified yet`);
      return;
    }
    const { fcc } = draft(run, modifiers);
    const uncopied = fcc === null ? null : copyWrong(uri);
    if (uncopied !== null) throw new ScriptError(uncopied);
    act(run, {
      kind: 'notify',
      method,
      importance: importanceOf(importance?.value(run) ?? '2'),
      options: (options?.values(run) ?? []).map(checkedOption),
      message: message === null ? null : fromOctets(message.value(run)),
      fcc,
    }, () => `notify "${fromOctets(uri)}"`);
  }
}

/** RFC 8580 §6: an error with a method that makes no message to be copied. */
function copyWrong(uri: string): string | null {
  return schemeOf(uri) === 'mailto' ? null : `':fcc' is not for the notification method "${printable(uri)}"`;
}

/** How many notifications a run may decide. */
export function checkLimit(run: Run): void {
  const { most } = run.settings.notify;
  if (most === 0) throw new ScriptError(PROHIBITED);
  checkRoom(run);
  if (run.result.actions.filter(({ kind }) => kind === 'notify').length >= most) {
    throw new ScriptError(`number of notify actions exceeds policy limit (${most})`);
  }
}

function importanceOf(text: string): Importance {
  const wrong = importanceWrong(text);
  if (wrong !== null) throw new ScriptError(wrong);
  return Number(text) as Importance;
}

function checkedOption(option: string): string {
  const wrong = optionWrong(option);
  if (wrong !== null) throw new ScriptError(wrong);
  return fromOctets(option);
}

/** §3.2: an unknown or invalid method is an error; null if all it would go to were notified before (RFC 5436 §2.7). */
function methodOf(run: Run, uri: string, from: string | null): NotifyMethod | null {
  const wrong = methodWrong(uri, run.settings);
  if (wrong !== null) throw new ScriptError(wrong);
  if (schemeOf(uri) !== 'mailto') {
    const text = fromOctets(uri);
    if (run.host.notifyMethod(text) === null) {
      throw new ScriptError(`the notification method "${text}" cannot be used`);
    }
    return { scheme: schemeOf(uri), uri: text, from: from === null ? null : fromOctets(from) };
  }
  const notified = run.result.actions.flatMap((action) =>
    action.kind === 'notify' && 'mailto' in action.method
      ? [...action.method.mailto.to, ...action.method.mailto.cc, ...action.method.mailto.bcc]
      : []
  );
  const mailto = withoutAddresses(
    parseMailto(uri) as MailtoUri,
    new Set(notified.map(({ address }) => address.toLowerCase())),
  );
  return mailto === null
    ? null
    : { scheme: 'mailto', mailto, from: from === null ? null : mailboxOf(from, run.settings) };
}

/** §3 */
const notify: CommandSpec = {
  name: 'notify',
  tags: [
    { name: 'from', parameter: { name: 'from', type: 'string' } },
    { name: 'importance', parameter: { name: 'importance', type: 'string', check: importanceWrong } },
    { name: 'options', parameter: { name: 'options', type: 'strings', check: optionWrong } },
    { name: 'message', parameter: { name: 'message', type: 'string' } },
  ],
  parameters: [{ name: 'method', type: 'string' }],
  emit(call, compiler) {
    const method = call.text('method');
    const { constant } = method;
    const { notify } = compiler.settings;
    if (constant !== null && notify.most > 0 && !isSupported(constant, notify)) {
      // §3.2: an error when it is used, since a script may ask first (§4, §5).
      compiler.warning(call.position('method'), `the notify command: ${unknownMethod(constant, notify)}`);
    }
    const wrong = constantWrong(call, compiler);
    if (wrong !== null) {
      compiler.error(call.position(wrong.name), `the notify command: ${wrong.text}`);
      return;
    }
    const text = (name: string): Text | null => call.has(name) ? call.text(name) : null;
    compiler.command(
      call.node,
      new Notify({
        method,
        from: text('from'),
        importance: text('importance'),
        options: call.has('options') ? call.texts('options') : null,
        message: text('message'),
        modifiers: call.modifiers(),
      }),
    );
  },
};

/** What is wrong with the strings that are constant, and with which. */
function constantWrong(
  call: Call,
  { settings }: Compiler,
): { readonly name: string; readonly text: string } | null {
  if (settings.notify.most === 0) return { name: 'method', text: PROHIBITED };
  const method = call.text('method').constant;
  if (method === null || !isSupported(method, settings.notify)) return null;
  const wrong = methodWrong(method, settings);
  if (wrong !== null) return { name: 'method', text: wrong };
  const uncopied = call.has('fcc') ? copyWrong(method) : null;
  if (uncopied !== null) return { name: 'fcc', text: uncopied };
  const from = call.has('from') && schemeOf(method) === 'mailto' ? call.text('from').constant : null;
  const text = from === null ? null : addressWrong(from, settings);
  return text === null ? null : { name: 'from', text };
}

/** What a method says about itself; null if it is none that could be used. */
function capabilityOf(run: Run, uri: string, name: string): string | null {
  if (methodWrong(uri, run.settings) !== null) return null;
  if (schemeOf(uri) === 'mailto') return name === 'online' ? 'maybe' : name === 'fcc' ? 'yes' : null;
  const method = run.host.notifyMethod(fromOctets(uri));
  if (method === null) return null;
  return name === 'online' ? method.online : name === 'fcc' ? 'no' : null;
}

class ValidNotifyMethod implements Test {
  readonly #uris: Texts;

  constructor(uris: Texts) {
    this.#uris = uris;
  }

  evaluate(run: Run): boolean {
    return this.#uris.values(run).every((uri) => capabilityOf(run, uri, 'online') !== null);
  }
}

class NotifyMethodCapability implements Test {
  readonly #uri: Text;
  readonly #name: Text;
  readonly #keys: Keys;

  constructor(uri: Text, name: Text, keys: Keys) {
    this.#uri = uri;
    this.#name = name;
    this.#keys = keys;
  }

  evaluate(run: Run): boolean {
    const value = capabilityOf(run, this.#uri.value(run), lowerAscii(this.#name.value(run)));
    return value !== null && this.#keys.match(run, new Values([toOctets(value)]));
  }
}

/** §4 and §5 */
const TESTS: readonly TestSpec[] = [
  {
    name: 'valid_notify_method',
    parameters: [{ name: 'notification uris', type: 'strings' }],
    compile: (call) => new ValidNotifyMethod(call.texts('notification uris')),
  },
  {
    name: 'notify_method_capability',
    match: true,
    parameters: [
      { name: 'notification uri', type: 'string' },
      { name: 'notification capability', type: 'string' },
      { name: 'key list', type: 'strings' },
    ],
    compile(call) {
      const keys = call.keys('key list');
      if (keys === null) return null;
      return new NotifyMethodCapability(
        call.text('notification uri'),
        call.text('notification capability'),
        keys,
      );
    },
  },
];

/** §6; what is longer than a variable is cut between two characters. */
function encodeUrl(text: string, size: number): string {
  const encoded = text.replace(
    /[^A-Za-z0-9._~-]/g,
    (octet) => `%${octet.charCodeAt(0).toString(16).toUpperCase().padStart(2, '0')}`,
  );
  if (encoded.length <= size) return encoded;
  const cut = encoded.slice(0, size).replace(/%[0-9A-F]?$/, '');
  // Octets at the end that are not all of a character (RFC 5229 §6).
  const [tail = ''] = /(?:%[C-F][0-9A-F])?(?:%[89AB][0-9A-F])*$/.exec(cut) ?? [];
  const lead = Number.parseInt(tail.slice(1, 3), 16);
  const whole = lead >= 0xf0 ? 4 : lead >= 0xe0 ? 3 : lead >= 0xc0 ? 2 : 0;
  return tail.length === whole * 3 ? cut : cut.slice(0, cut.length - tail.length);
}

export const enotify: Extension = {
  capability: 'enotify',
  commands: [notify],
  tests: TESTS,
  tags: [{ on: ['set'], tag: modifier('encodeurl', 15, encodeUrl) }],
};
