/**
 * The authentication protocol of Dovecot, version 1.1, as a server: Postfix's smtpd asks it about submission
 * (`smtpd_sasl_type = dovecot`), Exim and others too. Lines of fields with tabs between; requests run side by side.
 *
 * Invariants
 * 1. Memory is bounded: a line, `limits.authd_requests` exchanges of a connection, each over after its answer.
 * 2. Who connects can only ask; it learns no secret, and a wrong answer costs what it costs a client (login.ts).
 * 3. No security layer is offered: the asker could not carry it (`sasl_maximum_layer` 0).
 */

import { randomBytes } from '../crypto.ts';
import type { Authenticator } from '../auth/login.ts';
import { BARE_CHANNEL } from '../auth/channel.ts';
import type { Mechanism } from '../auth/mechanism.ts';
import { MECHANISMS } from '../auth/mechanisms.ts';
import {
  decodeResponse,
  encodeChallenge,
  type SaslContext,
  type SaslExchange,
  startSasl,
  whyNot,
} from '../auth/sasl.ts';
import type { Settings } from '../config/settings.ts';
import { asMailError, MailError, syntaxError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { Connection } from '../net/connection.ts';
import type { Protocol } from '../net/service.ts';
import type { Identity } from '../store/border.ts';
import type { Log } from '../telemetry/log.ts';

export interface AuthdServices {
  readonly settings: Settings;
  readonly authenticator: Authenticator;
  readonly log: Log;
}

/** Dovecot's protocol over our users. One per process. */
export function createDovecotAuth(services: AuthdServices): Protocol {
  const connections = new Set<Connection>();
  let served = 0;
  return {
    alpn: 'dovecot-auth',
    accept(connection: Connection): void {
      connections.add(connection);
      new DovecotAuth(services, connection, ++served, () => connections.delete(connection)).start();
    },
    busy: '',
    late: '',
    shutdown(): Promise<void> {
      for (const connection of connections) connection.end();
      return Promise.resolve();
    },
  };
}

interface Request {
  readonly exchange: SaslExchange;
  /** The success, held back until the client has had the data that belongs to it. */
  identity: Identity | null;
  /** The asker can take data with the success (`final-resp-ok`). */
  readonly finalOk: boolean;
}

class DovecotAuth {
  readonly #services: AuthdServices;
  readonly #connection: Connection;
  readonly #number: number;
  readonly #requests = new Map<string, Request>();
  #rest = '';
  #version = false;

  constructor(services: AuthdServices, connection: Connection, number: number, onEnd: () => void) {
    this.#services = services;
    this.#connection = connection;
    this.#number = number;
    connection.onData((chunk) => this.#received(chunk));
    connection.onClose(() => {
      this.#requests.clear();
      onEnd();
    });
  }

  /** Who we are and what we speak; the asker chooses among it by its own rules. */
  start(): void {
    const lines = ['VERSION\t1\t1'];
    for (const mechanism of MECHANISMS) {
      if (whyNot(mechanism, this.#context('smtp', '', '', true)) === null) {
        lines.push(['MECH', mechanism.name, ...propertiesOf(mechanism)].join('\t'));
      }
    }
    lines.push(
      `SPID\t${process.pid}`,
      `CUID\t${this.#number}`,
      `COOKIE\t${randomBytes(16).toString('hex')}`,
      'DONE',
    );
    this.#connection.write(`${lines.join('\n')}\n`);
  }

  #context(service: string, remoteAddress: string, localAddress: string, secure: boolean): SaslContext {
    const { settings, authenticator } = this.#services;
    return {
      settings: { ...settings, sasl_maximum_layer: 0 },
      authenticator,
      origin: { protocol: service, remoteAddress, localAddress, secure, connection: '' },
      channel: { ...BARE_CHANNEL, strength: secure ? 256 : 0 },
    };
  }

  #received(chunk: Buffer): void {
    this.#rest += chunk.toString('latin1');
    for (let lf = this.#rest.indexOf('\n'); lf >= 0; lf = this.#rest.indexOf('\n')) {
      const line = this.#rest.slice(0, lf);
      this.#rest = this.#rest.slice(lf + 1);
      try {
        this.#line(line);
      } catch (thrown) {
        this.#services.log.warn('authentication request not understood', { error: asMailError(thrown) });
        this.#connection.destroy();
        return;
      }
    }
    if (this.#rest.length > limits.authd_line.value) this.#connection.destroy();
  }

  #line(line: string): void {
    const [command = '', id = '', ...fields] = line.split('\t');
    if (command === 'VERSION') {
      // The major version decides; a higher minor one only adds.
      if (id !== '1') throw syntaxError('only version 1 of the protocol is there');
      this.#version = true;
    } else if (!this.#version) throw syntaxError('VERSION comes first');
    else if (command === 'AUTH') this.#auth(number(id), fields);
    else if (command === 'CONT') this.#continue(number(id), fields.join('\t'));
    else if (command === 'CANCEL') this.#requests.delete(id);
    // CPID and what later versions add need no answer.
  }

  #auth(id: string, fields: readonly string[]): void {
    if (this.#requests.has(id)) throw syntaxError('the number of a request is in use');
    if (this.#requests.size >= limits.authd_requests.value) throw syntaxError('too many requests at a time');
    const [mechanism = '', ...rest] = fields;
    const given = new Map<string, string>();
    let initial: string | null = null;
    for (const [at, field] of rest.entries()) {
      const equals = field.indexOf('=');
      const key = equals < 0 ? field : field.slice(0, equals);
      if (key === 'resp') {
        // It is the last one, and base64 may have been cut at tabs by nobody.
        initial = rest.slice(at).join('\t').slice('resp='.length);
        break;
      }
      given.set(key, equals < 0 ? '' : unescape(field.slice(equals + 1)));
    }
    const context = this.#context(
      given.get('service') ?? 'smtp',
      given.get('rip') ?? '',
      given.get('lip') ?? '',
      given.has('secured'),
    );
    let exchange: SaslExchange;
    try {
      exchange = startSasl(mechanism, context);
    } catch (thrown) {
      return this.#fail(id, thrown);
    }
    const request: Request = { exchange, identity: null, finalOk: given.has('final-resp-ok') };
    this.#requests.set(id, request);
    void this.#step(id, request, initial);
  }

  #continue(id: string, response: string): void {
    const request = this.#requests.get(id);
    if (request === undefined) return this.#fail(id, syntaxError('there is no such request'));
    if (request.identity !== null) return this.#succeed(id, request.identity);
    void this.#step(id, request, response);
  }

  async #step(id: string, request: Request, response: string | null): Promise<void> {
    try {
      const bytes = response === null ? null : decodeResponse(response);
      if (bytes === 'cancel') throw syntaxError('cancelled');
      const step = await request.exchange.step(bytes);
      if (this.#requests.get(id) !== request) return; // cancelled, or the asker is gone
      if (step.kind === 'challenge') this.#write('CONT', id, encodeChallenge(step.challenge));
      else if (step.final === undefined) this.#succeed(id, step.identity);
      else if (request.finalOk) this.#succeed(id, step.identity, encodeChallenge(step.final));
      else {
        request.identity = step.identity;
        this.#write('CONT', id, encodeChallenge(step.final));
      }
    } catch (thrown) {
      if (this.#requests.get(id) === request) this.#fail(id, thrown);
    }
  }

  #succeed(id: string, { userid }: Identity, final?: string): void {
    this.#requests.delete(id);
    this.#write('OK', id, `user=${escape(userid)}`, ...(final === undefined ? [] : [`resp=${final}`]));
  }

  #fail(id: string, thrown: unknown): void {
    this.#requests.delete(id);
    const error: MailError = asMailError(thrown);
    // `temp` makes it a temporary failure to the client; the reason is for people.
    if (error.kind === 'server') {
      this.#services.log.error('authentication request failed', { code: error.code, error });
      this.#write('FAIL', id, 'temp');
    } else this.#write('FAIL', id, `reason=${escape(error.message)}`);
  }

  #write(...fields: readonly string[]): void {
    this.#connection.write(Buffer.from(`${fields.join('\t')}\n`, 'utf8'));
  }
}

/** What the asker's own rules go by (Postfix: smtpd_sasl_security_options). */
function propertiesOf({ name, plaintext, security }: Mechanism): string[] {
  const properties: string[] = [];
  if (plaintext) properties.push('plaintext');
  if (!security.includes('NO_ANONYMOUS')) properties.push('anonymous');
  if (!plaintext && !/^(?:EXTERNAL|ANONYMOUS|SCRAM-.*)$/.test(name)) properties.push('dictionary', 'active');
  if (security.includes('MUTUAL_AUTH')) properties.push('mutual-auth');
  return properties;
}

function number(text: string): string {
  if (!/^\d{1,10}$/.test(text)) throw syntaxError('a request needs a number');
  return text;
}

/** Control characters that would end a field or a line stand behind a \001. */
function escape(text: string): string {
  return text.replace(
    /[\0\x01\t\r\n]/g,
    (character) => `\x01${{ '\0': '0', '\x01': '1', '\t': 't', '\r': 'r', '\n': 'n' }[character]}`,
  );
}

function unescape(text: string): string {
  const decoded = Buffer.from(text, 'latin1').toString('utf8');
  return decoded.replace(
    /\x01([01trn])/g,
    (_, letter: string) => ({ '0': '\0', '1': '\x01', t: '\t', r: '\r', n: '\n' })[letter] ?? '',
  );
}
