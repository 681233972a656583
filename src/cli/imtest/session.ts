/** One run of a test client: connect, TLS, login, and what comes after it. */

import { createReadStream, writeFileSync } from 'node:fs';
import { BINDINGS, channelOf } from '../../auth/channel.ts';
import { authenticate } from '../../auth/client/exchange.ts';
import type { ClientMechanism, EarlierLogin } from '../../auth/client/mechanism.ts';
import { asMailError, type MailError, userError } from '../../errors.ts';
import type { SecurityLayer } from '../../net/layer.ts';
import type { CommandIo } from '../command.ts';
import { EX_DATAERR, EX_NOPERM, EX_OK } from '../sysexits.ts';
import { printable } from '../table.ts';
import type { Terminal } from '../terminal.ts';
import type { Plan } from './arguments.ts';
import { chooseMechanism, type Means, whyUnfit } from './choose.ts';
import type { Dialogue, ServerOffer } from './dialogue.ts';
import { Input } from './input.ts';
import { interact } from './interact.ts';
import { acceptOne, goOnAlone } from './socket.ts';
import { OMITTED, ShownTalk } from './talk.ts';
import { timeAppends } from './timing.ts';
import { Wire } from '../../net/wire.ts';

/** A connection on which somebody is logged in, or not. */
interface Session {
  readonly wire: Wire;
  readonly dialogue: Dialogue;
  readonly talk: ShownTalk;
  /** Why the login failed; null when it did not. */
  readonly failure: MailError | null;
}

/** Runs a plan to its end; resolves to the exit code. Failures of the connection throw 'unavailable'. */
export async function runPlan(plan: Plan, io: CommandIo, terminal: Terminal | null): Promise<number> {
  const client = new TestClient(plan, io, terminal);
  for (let more = plan.times; more > 1; more--) {
    const session = await client.login();
    await client.leave(session);
    if (session.failure !== null) return exitCode(session.failure);
  }
  return await client.run();
}

/** 77 where the server said no, 65 where it cannot do what was asked for. */
function exitCode(failure: MailError): number {
  return failure.code === 'authenticationfailed' ? EX_NOPERM : EX_DATAERR;
}

class TestClient {
  readonly #plan: Plan;
  readonly #io: CommandIo;
  readonly #terminal: Terminal | null;
  readonly #input: Input;
  #password: string | undefined;
  /** Left by one login for the next (-n). */
  readonly #earlier: EarlierLogin = {};
  #tlsSession: Buffer | undefined;

  constructor(plan: Plan, io: CommandIo, terminal: Terminal | null) {
    this.#plan = plan;
    this.#io = io;
    this.#terminal = terminal;
    this.#input = new Input(() => terminal?.typed() ?? io.stdin);
    this.#password = plan.password;
  }

  /** Logs in, and does what is to be done then. */
  async run(): Promise<number> {
    const { script, timing, compress, pidFile, socket } = this.#plan;
    const session = await this.login();
    const { wire, dialogue, talk, failure } = session;
    if (
      failure !== null && (this.#terminal === null || script !== undefined || timing || socket !== undefined)
    ) {
      await this.leave(session);
      return exitCode(failure);
    }
    if (compress && failure === null) {
      await dialogue.compress?.();
      wire.compress();
    }
    if (pidFile !== undefined) writeFileSync(pidFile, `${process.pid}\n`);
    if (socket !== undefined) return await this.#overSocket(session, socket);
    if (timing) {
      const seconds = await timeAppends(talk);
      this.#tell(`took ${seconds.toFixed(2)} seconds\n`);
      await this.leave(session);
      return EX_OK;
    }
    const input = script === undefined ? this.#input.rest() : fileInput(script);
    await interact(wire, dialogue, input, this.#io, script !== undefined);
    this.#closed(wire);
    return failure === null ? EX_OK : exitCode(failure);
  }

  /** The rest of the session with whoever connects to the socket. */
  async #overSocket(
    { wire, dialogue }: Session,
    { path, background }: NonNullable<Plan['socket']>,
  ): Promise<number> {
    const peer = await acceptOne(path, () => {
      if (background) goOnAlone();
      else this.#tell(`Waiting at ${path}.\n`);
    }, wire.ended);
    peer.on('error', () => {}); // gone: the session ends as with any end of input
    const io = { stdout: (text: string | Uint8Array) => void peer.write(text) };
    // Its end is that of what is said, not of what is answered.
    await interact(wire, dialogue, peer.iterator({ destroyOnReturn: false }), io, false);
    peer.end();
    return EX_OK;
  }

  /** Connects and logs in, telling what happens. */
  async login(): Promise<Session> {
    const { place, program, tls } = this.#plan;
    const wire = await Wire.connect(place);
    try {
      if (tls === 'first') await this.#startTls(wire);
      const talk = new ShownTalk(wire, (text) => this.#tell(text));
      const dialogue = program.dialogue(talk);
      const offer = await this.#prepare(wire, dialogue);
      let layer: SecurityLayer | undefined;
      let failure: MailError | null = null;
      try {
        if (this.#needsNoLogin(offer)) this.#tell('The server asks for no login.\n');
        else {
          layer = await this.#authenticate(wire, dialogue, offer);
          this.#tell('Authenticated.\n');
        }
      } catch (thrown) {
        failure = asMailError(thrown);
        if (failure.code === 'unavailable' || failure.code === 'serverbug') throw failure;
        this.#tell(`Authentication failed. ${printable(failure.message)}\n`);
      }
      this.#tell(`Security strength factor: ${layer?.strength ?? channelOf(wire).strength}\n`);
      if (layer !== undefined) {
        wire.protect(layer);
        // What was said before nobody vouched for (RFC 4422 §4).
        this.#compare(offer, await dialogue.offer());
      }
      return { wire, dialogue, talk, failure };
    } catch (thrown) {
      wire.close();
      throw thrown;
    }
  }

  /** Ends a session as the protocol has it. */
  async leave({ wire, dialogue, talk }: Session): Promise<void> {
    talk.send(dialogue.logout);
    const closed = wire.pump((chunk) => this.#io.stdout(chunk));
    await closed;
    wire.close();
    this.#closed(wire);
  }

  #closed(wire: Wire): void {
    if (wire.failure !== undefined) this.#tell(`Protection error: ${printable(wire.failure.message)}\n`);
    this.#tell('Connection closed.\n');
  }

  /** Greeting, capabilities and TLS; what is offered in the end. */
  async #prepare(wire: Wire, dialogue: Dialogue): Promise<ServerOffer> {
    const offer = await dialogue.greeting();
    if (this.#plan.tls !== 'starttls') return offer;
    if (!offer.starttls) throw userError('cannot', 'the server does not offer TLS (-t)');
    await dialogue.startTls();
    await this.#startTls(wire);
    return await dialogue.offer();
  }

  async #startTls(wire: Wire): Promise<void> {
    const { host, ca, identity } = this.#plan;
    const { version, cipher, problem, reused } = await wire.startTls({
      host,
      strict: ca !== undefined,
      ...(this.#tlsSession === undefined ? {} : { session: this.#tlsSession }),
      onSession: (session) => this.#tlsSession = session,
      ...(ca === undefined ? {} : { ca }),
      ...(identity === undefined ? {} : { identity }),
    });
    const bits = channelOf(wire).strength;
    if (problem !== null) this.#tell(`verify error:${problem}\n`);
    if (reused) this.#tell('Reused session\n');
    this.#tell(`TLS connection established: ${version} with cipher ${cipher} (${bits}/${bits} bits)\n`);
  }

  /** A server that takes mail from us without. */
  #needsNoLogin({ mechanisms }: ServerOffer): boolean {
    const { program, mechanism } = this.#plan;
    return program.open === true && mechanism === undefined && mechanisms.length === 0;
  }

  async #authenticate(
    wire: Wire,
    dialogue: Dialogue,
    offer: ServerOffer,
  ): Promise<SecurityLayer | undefined> {
    const { plan, means } = { plan: this.#plan, means: this.#means(wire) };
    const mechanism = plan.mechanism === undefined
      ? chooseMechanism(offer.mechanisms, means) ?? this.#ownLogin(offer)
      : plan.mechanism;
    if ('own' in mechanism) {
      await this.#loginItself(dialogue, offer, mechanism.own, means);
      return undefined;
    }
    this.#check(mechanism, offer, means);
    const { authcid, authzid, realm, host, layers, initial, verbose, program: { service } } = plan;
    const password = () => this.#askPassword();
    const hidden = verbose ? {} : { hidden: OMITTED };
    const earlier = this.#earlier;
    const login = { authcid, authzid, realm, service, host, layers, initial, password, earlier, ...hidden };
    return await authenticate(dialogue, mechanism, login, channelOf(wire));
  }

  #ownLogin({ own }: ServerOffer): { readonly own: string } {
    const [best] = own;
    if (best !== undefined) return { own: best };
    throw userError('cannot', 'the server offers no mechanism that can be used here');
  }

  async #loginItself(dialogue: Dialogue, offer: ServerOffer, kind: string, means: Means): Promise<void> {
    const { authcid } = this.#plan;
    if (!offer.own.includes(kind)) {
      throw userError('cannot', `the server does not offer ${kind}`);
    }
    if (means.proxy) throw userError('cannot', `${kind} cannot say as whom to act (-u)`);
    if (means.least > means.below) {
      throw userError('cannot', `${kind} cannot reach ${means.least} bits of protection (-k)`);
    }
    const reply = await dialogue.login(kind, authcid, await this.#askPassword());
    if (reply.kind === 'no') throw userError('authenticationfailed', reply.text);
  }

  /** @throws MailError 'cannot' where the server does not offer it, or it cannot be used */
  #check(mechanism: ClientMechanism, offer: ServerOffer, means: Means): void {
    const unfit = whyUnfit(mechanism, means);
    if (unfit !== null) throw userError('cannot', unfit);
    if (!offer.mechanisms.includes(mechanism.name)) {
      throw userError('cannot', `the server does not offer ${mechanism.name}`);
    }
  }

  #means(wire: Wire): Means {
    const { layers, identity, place, authzid } = this.#plan;
    return {
      below: channelOf(wire).strength,
      least: layers.least,
      external: identity !== undefined || 'path' in place,
      binding: BINDINGS.some((kind) => channelOf(wire).binding(kind) !== null),
      proxy: authzid !== '',
    };
  }

  /** Somebody between us and the server may have taken mechanisms out of the list that nothing protected. */
  #compare(before: ServerOffer, after: ServerOffer): void {
    // Servers need not list mechanisms to somebody who is logged in.
    if (after.mechanisms.length === 0) return;
    const lost = after.mechanisms.filter((name) => !before.mechanisms.includes(name));
    if (lost.length > 0) {
      this.#tell('WARNING: possible MITM attack: list of available SASL mechanisms changed\n');
    }
  }

  async #askPassword(): Promise<string> {
    this.#password ??= this.#terminal === null
      ? await this.#input.firstLine()
      : await this.#terminal.ask('Please enter your password: ', { echo: false });
    return this.#password;
  }

  #tell(text: string): void {
    this.#io.stdout(text);
  }
}

async function* fileInput(path: string): AsyncGenerator<Uint8Array> {
  try {
    for await (const chunk of createReadStream(path)) yield chunk as Uint8Array;
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw userError('nonexistent', `${path} cannot be read: ${reason}`);
  }
}
