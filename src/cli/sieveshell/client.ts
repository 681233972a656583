/** A client of ManageSieve (RFC 5804) behind its login: scripts by name, and what the server says about them. */

import { BINDINGS, channelOf } from '../../auth/channel.ts';
import { authenticate } from '../../auth/client/exchange.ts';
import { clientMechanism } from '../../auth/client/mechanisms.ts';
import { portOf } from '../../config/ports.ts';
import { serverError, userError } from '../../errors.ts';
import { Wire } from '../../net/wire.ts';
import { chooseMechanism } from '../imtest/choose.ts';
import { Referral, SieveDialogue, type SieveToken, stringOf } from '../imtest/sieve.ts';
import type { Talk } from '../imtest/talk.ts';
import { printable } from '../table.ts';
import type { Login } from './arguments.ts';

/** Servers that send the client on to others, one behind the other. */
const MOST_REFERRALS = 5;

/** A script as the server lists it. */
export interface ListedScript {
  readonly name: string;
  readonly active: boolean;
}

/** Lines of a dialogue nobody watches. */
class QuietTalk implements Talk {
  readonly #wire: Wire;

  constructor(wire: Wire) {
    this.#wire = wire;
  }

  send(text: string): void {
    this.#wire.write(Buffer.from(`${text}\r\n`, 'latin1'));
  }

  receive(): Promise<string> {
    return this.#wire.line();
  }

  async receiveBytes(length: number): Promise<string> {
    return (await this.#wire.bytes(length)).toString('latin1');
  }
}

export class SieveClient {
  readonly #wire: Wire;
  readonly #talk: Talk;
  readonly #dialogue: SieveDialogue;

  private constructor(wire: Wire) {
    this.#wire = wire;
    this.#talk = new QuietTalk(wire);
    this.#dialogue = new SieveDialogue(this.#talk);
  }

  /**
   * Connects, begins TLS where the server has it, and logs in; on another server, where this one says so (RFC 5804 §1.3).
   * @param tell hears what is wrong with the server's certificate, where that is no reason to end, and where else it goes
   * @throws MailError 'unavailable', 'cannot', 'authenticationfailed'
   */
  static async login(
    login: Login,
    password: () => Promise<string>,
    tell: (text: string) => void,
  ): Promise<SieveClient> {
    let asked: Promise<string> | undefined;
    const once = (): Promise<string> => asked ??= password();
    for (let at = login, referrals = 0;; referrals++) {
      try {
        return await SieveClient.#loginAt(at, once, tell);
      } catch (thrown) {
        if (!(thrown instanceof Referral)) throw thrown;
        if (referrals === MOST_REFERRALS) {
          throw userError('cannot', `too many referrals, the last to ${thrown.url}`);
        }
        tell(`referred to ${printable(thrown.url)}\n`);
        at = { ...login, ...serverOf(thrown.url) };
      }
    }
  }

  static async #loginAt(
    login: Login,
    password: () => Promise<string>,
    tell: (text: string) => void,
  ): Promise<SieveClient> {
    const { host, port, ca, requireTls } = login;
    const wire = await Wire.connect({ host, port });
    try {
      const client = new SieveClient(wire);
      let offer = await client.#dialogue.greeting();
      if (offer.starttls) {
        await client.#dialogue.startTls();
        const tls = await wire.startTls({
          host,
          strict: ca !== undefined,
          ...(ca === undefined ? {} : { ca }),
        });
        if (tls.problem !== null) tell(`verify error:${tls.problem}\n`);
        offer = await client.#dialogue.offer();
      } else if (requireTls) throw userError('cannot', 'the server does not offer TLS');
      await client.#authenticate(login, offer.mechanisms, password);
      return client;
    } catch (thrown) {
      wire.destroy();
      throw thrown;
    }
  }

  async #authenticate(
    { authcid, authzid, realm, host, mechanism: wanted }: Login,
    offered: readonly string[],
    password: () => Promise<string>,
  ): Promise<void> {
    const channel = channelOf(this.#wire);
    const means = {
      below: channel.strength,
      least: 0,
      external: false,
      binding: BINDINGS.some((kind) => channel.binding(kind) !== null),
      proxy: authzid !== '',
    };
    const mechanism = wanted === undefined ? chooseMechanism(offered, means) : clientMechanism(wanted);
    if (mechanism === undefined || mechanism === null || !offered.includes(mechanism.name)) {
      throw userError(
        'cannot',
        `the server offers no mechanism that can be used: ${offered.join(' ') || 'none'}`,
      );
    }
    const layers = { least: 0, most: 128 };
    const login = { authcid, authzid, realm, service: 'sieve', host, layers, initial: true, password };
    const layer = await authenticate(this.#dialogue, mechanism, login, channel);
    if (layer === undefined) return;
    this.#wire.protect(layer);
    await this.#dialogue.offer();
  }

  async list(): Promise<ListedScript[]> {
    const { lines } = await this.#command('LISTSCRIPTS');
    return lines.map(([name, active]) => ({
      name: decode(name?.text ?? ''),
      active: active?.string === false && active.text === 'ACTIVE',
    }));
  }

  async get(name: string): Promise<Buffer> {
    const { lines } = await this.#command(`GETSCRIPT ${encode(name)}`);
    return Buffer.from(lines[0]?.[0]?.text ?? '', 'latin1');
  }

  /** Resolves to what the server warns of, '' for nothing. */
  async put(name: string, script: Buffer): Promise<string> {
    return (await this.#command(`PUTSCRIPT ${encode(name)} ${stringOf(script.toString('latin1'))}`)).text;
  }

  /** Resolves to what the server warns of, '' for nothing. */
  async check(script: Buffer): Promise<string> {
    return (await this.#command(`CHECKSCRIPT ${stringOf(script.toString('latin1'))}`)).text;
  }

  /** @param name '' for none */
  async activate(name: string): Promise<void> {
    await this.#command(`SETACTIVE ${encode(name)}`);
  }

  async delete(name: string): Promise<void> {
    await this.#command(`DELETESCRIPT ${encode(name)}`);
  }

  async rename(from: string, to: string): Promise<void> {
    await this.#command(`RENAMESCRIPT ${encode(from)} ${encode(to)}`);
  }

  async logout(): Promise<void> {
    this.#talk.send('LOGOUT');
    await this.#dialogue.words();
    this.#wire.close();
  }

  /** Ends the connection, whatever it is at. */
  close(): void {
    this.#wire.destroy();
  }

  /**
   * Sends a command and reads up to the end of its response.
   * @throws MailError 'cannot' with what the server says when it says NO, 'unavailable' when it goes
   */
  async #command(
    text: string,
  ): Promise<{ readonly lines: readonly (readonly SieveToken[])[]; readonly text: string }> {
    this.#talk.send(text);
    const lines: (readonly SieveToken[])[] = [];
    for (;;) {
      const words = await this.#dialogue.words();
      const [first] = words;
      if (first === undefined) continue;
      if (first.string) {
        lines.push(words);
        continue;
      }
      const said = decode(words.at(-1)?.string === true ? words.at(-1)?.text ?? '' : '');
      if (first.text === 'OK') return { lines, text: said };
      if (first.text === 'BYE') throw serverError(`the server closes the connection: ${said}`);
      throw userError('cannot', said === '' ? 'the server refuses, and does not say why' : said);
    }
  }
}

/** Host and port of a URL (RFC 5804 §3), of which nothing else is heeded. */
function serverOf(url: string): { readonly host: string; readonly port: number } {
  const [, bracketed, plain, port] =
    /^sieve:\/\/(?:[^@/]*@)?(?:\[([^\]]+)\]|([^:[\]/]+))(?::(\d{1,5}))?(?:\/.*)?$/i.exec(url) ?? [];
  const host = bracketed ?? plain;
  if (host === undefined) {
    throw userError('cannot', `the server refers to "${printable(url)}", which is no server`);
  }
  return { host, port: Number(port ?? portOf('sieve')) };
}

function encode(text: string): string {
  return stringOf(Buffer.from(text, 'utf8').toString('latin1'));
}

function decode(bytes: string): string {
  return Buffer.from(bytes, 'latin1').toString('utf8');
}
