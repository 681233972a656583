/** Runs scripts over messages as a delivery does, with a host that knows nothing unless it is told. */

import type { Diagnostic } from '../../src/sieve/diagnostic.ts';
import { compile } from '../../src/sieve/extensions.ts';
import type { CompileOptions } from '../../src/sieve/compile.ts';
import { Mail } from '../../src/sieve/mail/mail.ts';
import type { Host, ScriptLocation, StoredScript } from '../../src/sieve/host.ts';
import { run } from '../../src/sieve/machine.ts';
import type { Envelope } from '../../src/sieve/message.ts';
import { toOctets } from '../../src/sieve/octets.ts';
import type { Action } from '../../src/sieve/result.ts';
import type { Outcome, Program, RunInput } from '../../src/sieve/run.ts';

/** Lines of a message with CRLF; the last is not ended. */
export function message(...lines: string[]): Uint8Array {
  return Buffer.from(lines.join('\r\n'), 'utf8');
}

/** RFC 5228 §1.2 */
export const MESSAGE_A = message(
  'Date: Tue, 1 Apr 1997 09:06:31 -0800 (PST)',
  'From: coyote@desert.example.org',
  'To: roadrunner@acme.example.com',
  'Subject: I have a present for you',
  '',
  "Look, I'm sorry about the whole anvil thing, and I really",
  "didn't mean to try and drop it on you from the top of the",
  'cliff.',
  '',
);

export const MESSAGE_B = message(
  'From: youcouldberich!@reply-by-postal-mail.invalid',
  'Sender: b1ff@de.res.example.com',
  'To: rube@landru.example.com',
  'Date: Mon, 31 Mar 1997 18:26:10 -0800',
  'Subject: $$$ YOU, TOO, CAN BE A MILLIONAIRE! $$$',
  '',
  'YOU MAY HAVE ALREADY WON TEN MILLION DOLLARS, BUT I DOUBT',
  'IT!',
  '',
);

export const ENVELOPE: Envelope = {
  from: 'coyote@desert.example.org',
  to: 'roadrunner@acme.example.com',
  originalTo: null,
  auth: null,
};

export const HOST: Host = {
  now: Date.UTC(2026, 6, 1, 12, 0, 0),
  mailboxExists: () => false,
  mailboxIdExists: () => false,
  specialUseExists: () => false,
  metadata: () => null,
  notifyMethod: () => null,
  zoneOffset: () => 120,
  environment: () => null,
  seen: () => false,
  script: () => null,
  listed: () => null,
  members: () => [],
  program: () => Promise.resolve({ failed: 'there are no programs', output: new Uint8Array(0) }),
  log: () => {},
};

export interface World extends Partial<Omit<RunInput, 'host'>> {
  readonly host?: Partial<Host>;
  readonly compile?: CompileOptions;
}

/** The program of a script that must compile. */
export function program(script: string, options: CompileOptions = {}): Program {
  const compiled = compile(toOctets(script), options);
  if (compiled.program === null) throw new Error(`does not compile: ${JSON.stringify(compiled.diagnostics)}`);
  return compiled.program;
}

/** How a script ends that needs no external program. */
export function outcome(script: string, bytes: Uint8Array, world: World = {}): Outcome {
  const { host, compile: options, ...input } = world;
  const ended = run(program(script, options), {
    message: new Mail(bytes),
    envelope: ENVELOPE,
    ...input,
    host: { ...HOST, ...host },
  });
  if (ended instanceof Promise) throw new Error('the script waits');
  return ended;
}

/** What a script decides; it must end without an error. */
export function decide(script: string, bytes: Uint8Array, world: World = {}): readonly Action[] {
  const { result, error } = outcome(script, bytes, world);
  if (error !== null) throw new Error(`line ${error.line}: ${error.text}`);
  return result.decided();
}

/** The same in short: `keep`, `implicit keep`, `fileinto INBOX.x`, `redirect a@b`. */
export function actions(script: string, bytes: Uint8Array, world: World = {}): string[] {
  return decide(script, bytes, world).map(shown);
}

function shown(action: Action): string {
  switch (action.kind) {
    case 'keep':
      return action.implicit ? 'implicit keep' : 'keep';
    case 'fileinto':
      return `fileinto ${action.placement.mailbox}`;
    case 'redirect':
      return `redirect ${action.address}`;
    default:
      return action.kind;
  }
}

/** True if a test holds for a message; `required` are capabilities. */
export function holds(
  test: string,
  bytes: Uint8Array,
  required: readonly string[] = [],
  world: World = {},
): boolean {
  const names = required.map((name) => `"${name}"`).join(', ');
  const script = `${names === '' ? '' : `require [${names}];`} if ${test} { discard; }`;
  return actions(script, bytes, world).includes('discard');
}

/** Findings of a script as `line:column text`. */
export function findings(script: string, options: CompileOptions = {}): string[] {
  return compile(toOctets(script), options).diagnostics.map((found: Diagnostic) =>
    `${found.severity === 'error' ? '' : 'warning '}${found.line}:${found.column} ${found.text}`
  );
}

/** Scripts by `personal NAME` and `global NAME`, as `include` finds them. */
export function stored(
  scripts: Readonly<Record<string, string>>,
): (location: ScriptLocation, name: string) => StoredScript | null {
  return (location, name) => {
    const script = scripts[`${location} ${name}`];
    return script === undefined ? null : { bytes: Buffer.from(script), hash: String(Bun.hash(script)) };
  };
}
