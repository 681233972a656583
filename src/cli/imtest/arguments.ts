/** The command line of imtest and its siblings: Cyrus's options, and what each of them means here. */

import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { clientMechanism } from '../../auth/client/mechanisms.ts';
import type { ClientMechanism } from '../../auth/client/mechanism.ts';
import { portOf } from '../../config/ports.ts';
import { userError } from '../../errors.ts';
import { type Arguments, parseArgs, usageError } from '../options.ts';
import { type Program, type ProgramName, PROGRAMS } from './programs.ts';
import type { Place } from '../../net/wire.ts';

/** What the command line asks for. */
export interface Plan {
  readonly name: ProgramName;
  readonly program: Program;
  readonly place: Place;
  /** The server's name, for its certificate and for DIGEST-MD5. */
  readonly host: string;
  readonly tls: 'no' | 'starttls' | 'first';
  readonly identity: Buffer | undefined;
  readonly ca: Buffer | undefined;
  /** A SASL mechanism or a login of the protocol's own; undefined: the strongest. */
  readonly mechanism: ClientMechanism | { readonly own: string } | undefined;
  readonly authcid: string;
  readonly authzid: string;
  readonly realm: string;
  readonly password: string | undefined;
  readonly layers: { readonly least: number; readonly most: number };
  readonly initial: boolean;
  readonly times: number;
  readonly script: string | undefined;
  readonly timing: boolean;
  readonly verbose: boolean;
  /** Compress after the login (RFC 4978). */
  readonly compress: boolean;
  /** Where the session goes on in place of standard input and output. */
  readonly socket: { readonly path: string; readonly background: boolean } | undefined;
  /** A file that gets the number of the process. */
  readonly pidFile: string | undefined;
}

const table = {
  keyfile: { short: 't', value: 'FILE' },
  port: { short: 'p', value: 'PORT' },
  mechanism: { short: 'm', value: 'MECH' },
  inputFilename: { short: 'f', value: 'FILE' },
  realm: { short: 'r', value: 'REALM' },
  requireTls: { short: 's' },
  username: { short: 'u', value: 'USER' },
  authname: { short: 'a', value: 'USER' },
  password: { short: 'w', value: 'PASSWORD' },
  verbose: { short: 'v' },
  maxssf: { short: 'l', value: 'N' },
  minssf: { short: 'k', value: 'N' },
  reauthAttempts: { short: 'n', value: 'N' },
  noInitialResponse: { short: 'i' },
  runStressTest: { short: 'z' },
  ca: { value: 'FILE' },
  help: { short: 'h' },
  requireCompression: { short: 'q' },
  pidfile: { short: 'I', value: 'FILE' },
  outputSocket: { short: 'x', value: 'FILE' },
  outputSocketDaemon: { short: 'X', value: 'FILE' },
  // Options of Cyrus's that have no meaning here; each is refused by name.
  doChallenge: { short: 'c' },
  saslOption: { short: 'o', value: 'OPTION=VALUE', many: true },
} as const;

/** Most bits anybody has asked for; -l counts from there down. */
const MAX_BITS = 256;
/** What Cyrus takes at most unless told otherwise: so no layer is put into TLS. */
const USUAL_BITS = 128;

export function usageOf(name: ProgramName): string {
  const { protocol, port, tlsPort, own } = PROGRAMS[name] as Program;
  const tls = tlsPort === null
    ? ''
    : `\n  -s, --require-tls         TLS from the first byte, port ${tlsPort}`;
  const timing = name === 'imtest'
    ? '\n  -q, --require-compression compress after the login, or end if the server cannot' +
      '\n  -z, --run-stress-test     then time how long making a mailbox, appending fifty messages and deleting it takes'
    : '';
  const ownLogins = own.length === 0 ? '' : `, or ${own.join(' or ')}`;
  return `Usage: ${name} [OPTION]... [HOST]

Logs in to a server by ${protocol} and shows the dialogue, S: from the server and C: from the client. Then what you
type goes to the server, through TLS and security layer. HOST is localhost unless given, or the path of a unix socket.

  -p, --port PORT           a port or the name of a service; ${port} unless given
  -m, --mechanism MECH      a SASL mechanism${ownLogins}; the strongest that both know unless given
  -a, --authname USER       who logs in; the user of this machine unless given
  -u, --username USER       who to act as, where the mechanism can say so
  -w, --password PASSWORD   other users of this machine see it; without -w it is asked for, or is the first line of
                            standard input where that is no terminal
  -r, --realm REALM         for DIGEST-MD5
  -k, --minssf N            bits of protection that are needed, by TLS and mechanism together
  -l, --maxssf N            bits of protection from which the mechanism adds no layer; ${USUAL_BITS} unless given
  -t, --keyfile FILE        ask for TLS (STARTTLS); FILE holds a certificate of ours with its key, "" for none${tls}
      --ca FILE             authorities the server's certificate must come from; end if it is not good. Without it the
                            system's are asked, and what is wrong is only said
  -f, --input-filename FILE send FILE after the login, then log out
  -n, --reauth-attempts N   log in N times, each on a new connection, from the second on with what the first left: the session
                            of TLS, and for DIGEST-MD5 no challenge
  -i, --no-initial-response wait for the server's first challenge
  -x, --output-socket FILE  after the login go on over a unix socket that is made there, with whoever connects first
  -X, --output-socket-daemon FILE
                            the same, as a process in the background
  -I, --pidfile FILE        write the number of the process there
  -v, --verbose             show passwords in the dialogue, too${timing}
  -h, --help                this text

Exit codes: 0 logged in, 64 wrong command line, 65 the server cannot do what was asked for or a file cannot be read,
75 no connection, 77 the login failed.
`;
}

/**
 * The plan a command line describes; null for --help.
 * @throws MailError 'badsyntax' for a wrong command line, 'nonexistent' for a file that cannot be read
 */
export function readPlan(name: ProgramName, args: readonly string[]): Plan | null {
  const program: Program = PROGRAMS[name];
  const { options, operands: [given, odd] } = parseArgs(args, table);
  if (options.help) return null;
  refuseForeign(options);
  if (odd !== undefined) throw usageError(`${name} takes one server, not "${odd}" as well`);
  if (options.requireTls && program.tlsPort === null) {
    throw usageError(`${program.protocol} has no port for TLS from the first byte (-s); -t "" asks for TLS`);
  }
  if (options.runStressTest && name !== 'imtest') throw usageError('-z is for imtest');
  if (options.runStressTest && options.inputFilename !== undefined) {
    throw usageError('-z and -f: one of them');
  }
  if (options.requireCompression && name !== 'imtest') throw usageError('-q is for imtest');
  const socket = socketFrom(options);
  const tls = options.requireTls ? 'first' : options.keyfile === undefined ? 'no' : 'starttls';
  if (options.ca !== undefined && tls === 'no') throw usageError('--ca is for TLS (-t or -s)');
  const unix = given?.startsWith('/') === true;
  if (unix && options.port !== undefined) throw usageError('a unix socket has no port (-p)');
  const usualPort = tls === 'first' ? program.tlsPort ?? program.port : program.port;
  const host = given === undefined || unix ? 'localhost' : given;
  const authcid = options.authname ?? userInfo().username;
  const layers = {
    least: bitsFrom('-k', options.minssf, 0),
    most: bitsFrom('-l', options.maxssf, USUAL_BITS),
  };
  if (layers.least > layers.most && tls === 'no') throw usageError('-k asks for more than -l allows');
  return {
    name,
    program,
    place: unix ? { path: given } : { host, port: portFrom(options.port, usualPort) },
    host,
    tls,
    identity: options.keyfile === undefined || options.keyfile === ''
      ? undefined
      : contentOf(options.keyfile),
    ca: options.ca === undefined ? undefined : contentOf(options.ca),
    mechanism: mechanismFrom(options.mechanism, program),
    authcid,
    authzid: options.username === authcid ? '' : options.username ?? '',
    realm: options.realm ?? '',
    password: options.password,
    layers,
    initial: !options.noInitialResponse,
    times: timesFrom(options.reauthAttempts),
    script: options.inputFilename,
    timing: options.runStressTest,
    verbose: options.verbose,
    compress: options.requireCompression,
    socket,
    pidFile: options.pidfile,
  };
}

function socketFrom(
  { outputSocket, outputSocketDaemon, inputFilename, runStressTest }: Arguments<typeof table>,
): Plan['socket'] {
  const path = outputSocketDaemon ?? outputSocket;
  if (path === undefined) return undefined;
  if (outputSocketDaemon !== undefined && outputSocket !== undefined) {
    throw usageError('-x and -X: one of them');
  }
  if (inputFilename !== undefined || runStressTest) {
    throw usageError('what comes through the socket (-x, -X) stands in the place of -f and -z');
  }
  return { path, background: outputSocketDaemon !== undefined };
}

/** @throws MailError 'badsyntax' */
function refuseForeign(options: Arguments<typeof table>): void {
  if (options.doChallenge) throw usageError('-c: there is no mechanism with one-time passwords');
  if (options.saslOption.length > 0) {
    throw usageError('-o: there are no options of SASL; -k, -l, -r and -m say what they would');
  }
}

function mechanismFrom(text: string | undefined, { own, protocol }: Program): Plan['mechanism'] {
  if (text === undefined) return undefined;
  // As in Cyrus, "login" is IMAP's command in small letters and the mechanism in capitals.
  if (own.includes(text)) return { own: text };
  const mechanism = clientMechanism(text);
  if (mechanism !== undefined) return mechanism;
  const more = own.length === 0 ? '' : `, and for ${protocol} there is ${own.join(' and ')}`;
  throw usageError(`there is no mechanism ${text} (mailstore pluginviewer -c lists them${more})`);
}

function portFrom(text: string | undefined, usual: number): number {
  if (text === undefined) return usual;
  const port = /^\d{1,5}$/.test(text) ? Number(text) : portOf(text);
  if (port === undefined || port > 65535) {
    throw usageError(`${text} is not a port and no service is called so`);
  }
  return port;
}

function bitsFrom(flag: string, text: string | undefined, usual: number): number {
  if (text === undefined) return usual;
  if (!/^\d{1,3}$/.test(text) || Number(text) > MAX_BITS) {
    throw usageError(`${flag} takes a number of bits, 0 to ${MAX_BITS}`);
  }
  return Number(text);
}

function timesFrom(text: string | undefined): number {
  if (text === undefined) return 1;
  if (!/^[1-9]\d{0,5}$/.test(text)) throw usageError('-n takes a number of logins, 1 or more');
  return Number(text);
}

function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (thrown) {
    const reason = thrown instanceof Error ? thrown.message : String(thrown);
    throw userError('nonexistent', `${file} cannot be read: ${reason}`);
  }
}
