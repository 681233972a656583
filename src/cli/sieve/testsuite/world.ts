/** The world in which a test file runs: a message, its envelope, mailboxes and outbox of its own, none of which is real. */

import { existsSync, readFileSync } from 'node:fs';
import { join } from 'node:path';
import { type CompileOptions, compileWith } from '../../../sieve/compile.ts';
import { runExternal } from '../../../delivery/external.ts';
import type { Host, ProgramCall, ProgramOutcome, ScriptLocation, StoredScript } from '../../../sieve/host.ts';
import { Mail } from '../../../sieve/mail/mail.ts';
import type { Envelope } from '../../../sieve/message.ts';
import { bytesToOctets, toOctets } from '../../../sieve/octets.ts';
import type { Registry } from '../../../sieve/registry.ts';
import { Result } from '../../../sieve/result.ts';
import type { Program, Run } from '../../../sieve/run.ts';
import { version } from '../../../version.ts';
import { Configuration } from './configuration.ts';

/** A message in a mailbox. */
export interface Stored {
  readonly bytes: Uint8Array;
  readonly flags: readonly string[];
}

/** A message given to the simulated MTA, for one recipient. */
export interface Sent {
  readonly from: string;
  readonly to: string;
  readonly bytes: Uint8Array;
}

/** How one `test` block ended; `reason` is null where it succeeded. */
export interface BlockOutcome {
  readonly number: number;
  readonly name: string;
  readonly reason: string | null;
}

const DEFAULT_MESSAGE = Buffer.from(
  'From: sender@example.com\r\nTo: recipient@example.org\r\nSubject: Frop!\r\n\r\nFriep!\r\n',
);

/** Where mail is kept by default. */
export const INBOX = 'INBOX';

export class World {
  /** Folder of the test file: `${tst.path}`, and where paths in it begin. */
  readonly folder: string;
  readonly configuration = new Configuration();
  readonly mailboxes = new Map<string, Stored[]>();
  /** Of mailboxes and of the server, by `annotation`. */
  readonly annotations = new Map<string, string>();
  outbox: Sent[] = [];
  /** Error texts of the latest compilation, run or execution. */
  errors: string[] = [];
  message: Mail;
  envelope: Envelope;
  result = new Result();
  compiled: Program | null = null;
  readonly binaries = new Map<string, Program>();
  /** Actions that were carried out, and results whose implicit keep was. */
  readonly done = new WeakSet<object>();
  readonly blocks: BlockOutcome[] = [];
  /** Lines for `-E`. */
  readonly log: (text: string) => void;
  registry: Registry | null = null;
  /** False where the test file is not trusted to run programs. */
  runsPrograms = true;
  #source: Uint8Array = DEFAULT_MESSAGE;
  readonly #home: string;
  #block: string | null = null;
  #stamps = 0;

  constructor(folder: string, log: (text: string) => void, home: string) {
    this.folder = folder;
    this.#home = home;
    this.log = log;
    this.message = new Mail(DEFAULT_MESSAGE);
    this.envelope = envelopeOf(this.message);
  }

  get host(): Host {
    return {
      now: Date.now(),
      mailboxExists: (name) => this.mailboxes.has(canonical(name)),
      mailboxIdExists: () => false,
      specialUseExists: () => false,
      notifyMethod: () => null,
      metadata: (mailbox, entry) =>
        this.annotations.get(annotation(mailbox === null ? null : canonical(mailbox), entry)) ?? null,
      zoneOffset: (seconds) => -new Date(seconds * 1000).getTimezoneOffset(),
      environment: (item) => this.#environment(item),
      seen: () => false,
      script: (location, name) => this.#included(location, name),
      listed: (list, value) =>
        this.configuration.members(list).includes(value.toLowerCase()) ? value.toLowerCase() : null,
      members: (list) => this.configuration.members(list),
      program: (call) => this.runProgram(call),
      log: (text) => this.log(text),
    };
  }

  /** Runs a program of the folder that is set for its kind. */
  runProgram(call: ProgramCall): Promise<ProgramOutcome> {
    if (!this.runsPrograms) {
      const failed = `program "${call.name}": not run, as the test file belongs to another user than root`;
      return Promise.resolve({ failed, output: new Uint8Array(0) });
    }
    const { configuration } = this;
    const eol = configuration.get(`sieve_${call.kind}_input_eol`);
    return runExternal(call, {
      folder: configuration.get(`sieve_${call.kind}_bin_dir`) ?? join(this.folder, 'bin'),
      eol: eol === 'lf' ? 'lf' : 'crlf',
      seconds: configuration.size(`sieve_${call.kind}_exec_timeout`) ?? 10,
      env: {
        HOST: 'localhost',
        HOME: this.#home,
        USER: process.env['USER'] ?? 'mailstore',
      },
    });
  }

  /** A script that `include` names stands beside the test file. */
  #included(location: ScriptLocation, name: string): StoredScript | null {
    const file = join(this.folder, location === 'personal' ? 'included' : 'included-global', `${name}.sieve`);
    if (!existsSync(file)) return null;
    const bytes = readFileSync(file);
    return { bytes, hash: Bun.CryptoHasher.hash('sha256', bytes, 'hex') };
  }

  #environment(item: string): string | null {
    switch (item) {
      case 'location':
        return 'MS';
      case 'phase':
        return 'during';
      case 'name':
        return 'mailstore';
      case 'version':
        return version;
      case 'host':
        return 'localhost';
      case 'domain':
        return 'example.org';
      case 'vnd.dovecot.default-mailbox':
        return INBOX;
      case 'vnd.dovecot.username':
        return process.env['USER'] ?? 'mailstore';
      default:
        return item.startsWith('vnd.dovecot.config.')
          ? this.configuration.get(`sieve_environment/${item.slice('vnd.dovecot.config.'.length)}`) ?? null
          : null;
    }
  }

  /** Another message becomes the current one; the envelope follows from it. */
  setMessage(run: Run, bytes: Uint8Array): void {
    this.#source = bytes;
    this.message = new Mail(bytes, this.configuration.separators);
    this.envelope = envelopeOf(this.message);
    run.message = this.message;
    run.envelope = this.envelope;
  }

  /** The current message without what scripts changed about it. */
  restoreMessage(run: Run): void {
    this.message = new Mail(this.#source, this.configuration.separators);
    run.message = this.message;
  }

  /** The current message as it came. */
  get source(): Uint8Array {
    return this.#source;
  }

  /** Settings take effect, for the running file too. */
  reload(run: Run): void {
    this.configuration.reload();
    run.limits = this.configuration.limits;
    run.settings = this.configuration.settings;
    if (run.separators === this.configuration.separators) return;
    run.separators = this.configuration.separators;
    this.restoreMessage(run);
  }

  /** Makes a mailbox if it is not there. */
  create(name: string): void {
    const key = canonical(name);
    if (!this.mailboxes.has(key)) this.mailboxes.set(key, []);
  }

  send(from: string, to: string, bytes: Uint8Array): void {
    this.outbox.push({ from, to, bytes });
  }

  /** A message of the outbox becomes the current one; false if it is not there. */
  openSent(run: Run, index: number): boolean {
    const sent = this.outbox[index];
    if (sent === undefined) return false;
    this.setMessage(run, sent.bytes);
    this.setEnvelope(run, { from: toOctets(sent.from), to: toOctets(sent.to) });
    return true;
  }

  /** A message of a mailbox becomes the current one, with its flags; false if it is not there. */
  openStored(run: Run, mailbox: string, index: number): boolean {
    const messages = this.mailboxes.get(canonical(mailbox));
    if (messages === undefined) {
      this.error(`failed to open mailbox '${mailbox}': it does not exist`);
      this.setMessage(run, DEFAULT_MESSAGE);
      return false;
    }
    const stored = messages[index];
    if (stored === undefined) return false;
    this.setMessage(run, stored.bytes);
    this.result.flags = stored.flags;
    return true;
  }

  /** The address of who the scripts belong to. */
  get owner(): string {
    return this.userEmail ?? 'testsuite-mail-user@example.org';
  }

  /** The same where a setting says it; else null. */
  get userEmail(): string | null {
    return this.configuration.get('sieve_user_email') ?? null;
  }

  setEnvelope(run: Run, change: Partial<Envelope>): void {
    this.envelope = { ...this.envelope, ...change };
    run.envelope = this.envelope;
  }

  setResult(run: Run, result: Result): void {
    this.result = result;
    run.result = result;
  }

  error(text: string): void {
    this.errors.push(text);
    this.log(`error: ${text}`);
  }

  beginBlock(name: string): void {
    this.#block = name;
  }

  /** Ends the block that runs. False if none does. */
  endBlock(reason: string | null): boolean {
    if (this.#block === null) return false;
    this.blocks.push({ number: this.blocks.length + 1, name: this.#block, reason });
    this.#block = null;
    return true;
  }

  get insideBlock(): boolean {
    return this.#block !== null;
  }

  /** How scripts are compiled in this world. */
  compileOptions(name: string): CompileOptions {
    const { settings, limits: { includeDepth, includes } } = this.configuration;
    const scripts: CompileOptions['scripts'] = (location, included) => this.#included(location, included);
    return { name, settings, maxErrors: 1_000, maxSize: 1 << 20, scripts, includeDepth, includes };
  }

  /** Compiles the script of a path, which begins in the folder of the test. Null after its errors were noted. */
  compile(path: string): Program | null {
    const file = join(this.folder, path);
    if (!existsSync(file)) {
      this.error(`script "${path}" not found`);
      return null;
    }
    // With its path: a script of this name that it includes is another one.
    const name = path.replace(/\.sieve$/, '');
    const source = bytesToOctets(readFileSync(file));
    const { program, diagnostics, failed } = compileWith(
      this.registry as Registry,
      source,
      this.compileOptions(name),
    );
    for (const { severity, text } of diagnostics) if (severity === 'error') this.error(text);
    if (failed === null) return program;
    this.error(failed === 'parse' ? 'parse failed' : 'validation failed');
    return null;
  }

  /** A number that no other message of this run has. */
  nextStamp(): number {
    return ++this.#stamps;
  }
}

/** A mailbox's name as it is kept: INBOX has no case. */
export function canonical(mailbox: string): string {
  return mailbox.replace(/^inbox(?=\.|$)/i, INBOX);
}

/** The key of an annotation of a mailbox, or with null of the server; names of entries have no case. */
export function annotation(mailbox: string | null, entry: string): string {
  return `${mailbox ?? ''}\0${entry.toLowerCase()}`;
}

/** The envelope that a message would have come with. */
function envelopeOf(message: Mail): Envelope {
  const first = (...names: string[]): string | null => {
    for (const name of names) {
      const [address] = message.fields(name).addresses('all').items;
      if (address !== undefined) return address;
    }
    return null;
  };
  const to = first('envelope-to', 'to') ?? 'recipient@example.com';
  return {
    from: first('return-path', 'sender', 'from') ?? 'sender@example.com',
    to,
    originalTo: to,
    auth: toOctets(process.env['USER'] ?? 'mailstore'),
  };
}
