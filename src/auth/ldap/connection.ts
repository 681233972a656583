/**
 * One connection to a directory, bound as the user who looks things up. ldapts speaks the protocol; what it lacks stands
 * here: a SASL bind of several steps, and `ldapi`.
 *
 * Invariants
 * 1. Every operation ends within `limits.ldap_operation`, connecting within `limits.ldap_connect`.
 * 2. A connection that failed in any way but by an answer of the directory is not used again.
 * 3. No referral is followed: the directories to ask are those that are configured.
 */

import { readFileSync } from 'node:fs';
import { connect as connectSocket } from 'node:net';
import type { ConnectionOptions } from 'node:tls';
import {
  Ber,
  type BerWriter,
  BindRequest,
  type BindResponse,
  Client,
  type Control,
  type Entry,
  MessageResponseStatus,
  ProtocolOperation,
  SaslBindInProgressError,
  StatusCodeParser,
} from 'ldapts';
import { limits } from '../../limits.ts';
import { BARE_CHANNEL } from '../channel.ts';
import { clientMechanism } from '../client/mechanisms.ts';
import { DirectoryFailure, directoryFailure } from './failure.ts';
import type { DirectoryAddress } from '../../config/directoryaddress.ts';

/** How to get to a directory and who to be there. */
export interface DirectoryAccess {
  /** Tried in order. */
  readonly addresses: readonly DirectoryAddress[];
  readonly starttls: 'off' | 'try' | 'demand';
  /** PEM file of authorities; '' for those of the system. */
  readonly caFile: string;
  /** PEM files of a certificate of our own, '' for none. */
  readonly certFile: string;
  readonly keyFile: string;
  /** `simple`, or a SASL mechanism. */
  readonly mechanism: string;
  /** A DN for `simple`, else an authentication identity; '' with `simple` is an anonymous bind. */
  readonly id: string;
  readonly password: string;
}

/** A search, bounded by the size it asks for. */
export interface Lookup {
  readonly base: string;
  readonly scope: 'base' | 'one' | 'sub';
  readonly filter: string;
  readonly attributes: readonly string[];
  readonly sizeLimit: number;
}

const WHO_AM_I = '1.3.6.1.4.1.4203.1.11.3';

export class DirectoryConnection {
  readonly address: DirectoryAddress;
  readonly #client: Client;
  #broken = false;

  private constructor(address: DirectoryAddress, client: Client) {
    this.address = address;
    this.#client = client;
  }

  /**
   * Connects to the first directory that answers and binds.
   * @throws DirectoryFailure 'credentials' where the bind is refused, else that of the last address tried
   */
  static async open(access: DirectoryAccess): Promise<DirectoryConnection> {
    let last = new DirectoryFailure('unreachable', 'no directory is configured');
    for (const address of access.addresses) {
      const client = clientFor(address, access);
      try {
        await secure(client, address, access);
        await bind(client, address, access);
        return new DirectoryConnection(address, client);
      } catch (thrown) {
        last = directoryFailure(thrown, address.text);
        await closeClient(client);
        // Another copy of the directory would not know the secret any better.
        if (last.kind === 'credentials') throw last;
      }
    }
    throw last;
  }

  /** Whether it can be used for another operation. */
  get usable(): boolean {
    return !this.#broken && this.#client.isConnected;
  }

  /**
   * Who the directory takes us for (RFC 4532): the DN, or '' for nobody.
   * @throws DirectoryFailure
   */
  async whoAmI(control?: Control): Promise<string> {
    const { value = '' } = await this.#do(
      'asking who we are',
      () => this.#client.exop(WHO_AM_I, undefined, control),
    );
    return value.startsWith('dn:') ? value.slice(3) : value;
  }

  /** @throws DirectoryFailure 'missing' where the base is not there, also to who may not see it */
  async search(
    { base, scope, filter, attributes, sizeLimit }: Lookup,
    control?: Control,
  ): Promise<readonly Entry[]> {
    const { searchEntries } = await this.#do(`searching below ${base}`, () =>
      this.#client.search(base, {
        scope,
        filter,
        attributes: [...attributes],
        sizeLimit,
        timeLimit: limits.ldap_operation.value,
      }, control));
    return searchEntries;
  }

  async close(): Promise<void> {
    this.#broken = true;
    await closeClient(this.#client);
  }

  async #do<Result>(doing: string, operation: () => Promise<Result>): Promise<Result> {
    try {
      return await operation();
    } catch (thrown) {
      const failure = directoryFailure(thrown, `${this.address.text}: ${doing}`);
      if (failure.kind === 'unreachable') {
        this.#broken = true;
        await closeClient(this.#client);
      }
      throw failure;
    }
  }
}

function clientFor(address: DirectoryAddress, access: DirectoryAccess): Client {
  const { scheme, host, port, path } = address;
  return new Client({
    url: scheme === 'ldapi'
      ? 'ldap://localhost'
      : `${scheme}://${host.includes(':') ? `[${host}]` : host}:${port}`,
    timeout: limits.ldap_operation.value * 1000,
    connectTimeout: limits.ldap_connect.value * 1000,
    strictDN: false,
    ...(scheme === 'ldaps' ? { tlsOptions: tlsOptions(access, host) } : {}),
    ...(scheme === 'ldapi' ? { createConnection: () => connectSocket(path) } : {}),
  });
}

function tlsOptions({ caFile, certFile, keyFile }: DirectoryAccess, host: string): ConnectionOptions {
  return {
    servername: host,
    host,
    ...(caFile === '' ? {} : { ca: readFileSync(caFile) }),
    ...(certFile === ''
      ? {}
      : { cert: readFileSync(certFile), key: readFileSync(keyFile === '' ? certFile : keyFile) }),
  };
}

/** StartTLS where it is wanted; with `try` a directory that has none is spoken to without. */
async function secure(client: Client, address: DirectoryAddress, access: DirectoryAccess): Promise<void> {
  if (address.scheme !== 'ldap' || access.starttls === 'off') return;
  try {
    await client.startTLS(tlsOptions(access, address.host));
  } catch (thrown) {
    // A handshake that fails is not the same as a directory without TLS: then nothing is said in plain text.
    const answered = directoryFailure(thrown, 'StartTLS').kind === 'refused';
    if (access.starttls === 'demand' || !answered) throw thrown;
  }
}

async function bind(client: Client, address: DirectoryAddress, access: DirectoryAccess): Promise<void> {
  const { mechanism: name, id, password } = access;
  if (name.toLowerCase() === 'simple') {
    // RFC 4513 §5.1.2: a name without a password would be taken for an anonymous bind that succeeds.
    if (id !== '' && password === '') throw new DirectoryFailure('credentials', 'a name without a password');
    return await client.bind(id, password);
  }
  const mechanism = clientMechanism(name);
  if (mechanism === undefined) throw new DirectoryFailure('refused', `${name} is not a mechanism of ours`);
  const exchange = mechanism.start({
    authcid: id,
    authzid: '',
    password,
    service: 'ldap',
    host: address.host === '' ? 'localhost' : address.host,
    realm: '',
    channel: BARE_CHANNEL,
    layers: { least: 0, most: 0 },
  });
  let answer = exchange.initial;
  for (;;) {
    const { status, data } = await bindStep(client, mechanism.name, answer);
    if (status === 'done') {
      if (data !== undefined && !exchange.done) exchange.step(data);
      if (!exchange.done) {
        throw new DirectoryFailure('refused', `${name} ended before the directory proved itself`);
      }
      return;
    }
    answer = exchange.step(data ?? new Uint8Array(0));
  }
}

/** A bind with or without credentials: none at all is not the same as empty ones to a mechanism whose server begins. */
class SaslBindRequest extends BindRequest {
  readonly #credentials: Uint8Array | null;

  constructor(messageId: number, mechanism: string, credentials: Uint8Array | null) {
    super({ messageId, mechanism });
    this.#credentials = credentials;
  }

  override writeMessage(writer: BerWriter): void {
    writer.writeInt(this.version);
    writer.writeString(this.dn);
    writer.startSequence(ProtocolOperation.LDAP_REQ_BIND_SASL);
    writer.writeString(this.mechanism ?? '');
    if (this.#credentials !== null) writer.writeBuffer(Buffer.from(this.#credentials), Ber.OctetString);
    writer.endSequence();
  }
}

/** What ldapts has and does not show; tests/interop holds it to that. */
interface ClientInternals {
  _connect(): Promise<void> | void;
  _nextMessageId(): number;
  _send(request: BindRequest): Promise<BindResponse | undefined>;
}

/** One step of a SASL bind (RFC 4511 §4.2.1): ldapts sends one and throws at what the directory says to go on. */
async function bindStep(
  client: Client,
  mechanism: string,
  credentials: Uint8Array | null,
): Promise<{ status: 'done' | 'more'; data: Uint8Array | undefined }> {
  const inner = client as unknown as ClientInternals;
  if (!client.isConnected) await inner._connect();
  const response = await inner._send(
    new SaslBindRequest(inner._nextMessageId(), mechanism, credentials),
  );
  const data = response?.data[0] === undefined ? undefined : Buffer.from(response.data[0], 'utf8');
  if (response?.status === MessageResponseStatus.Success) return { status: 'done', data };
  const failure: unknown = StatusCodeParser.parse(response);
  if (failure instanceof SaslBindInProgressError) return { status: 'more', data };
  throw failure;
}

async function closeClient(client: Client): Promise<void> {
  try {
    if (client.isConnected) await client.unbind();
  } catch {
    // It is gone either way.
  }
}
