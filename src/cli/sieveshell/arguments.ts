/** What the command lines of sieveshell and installsieve have in common: the server, and who logs in. */

import { readFileSync } from 'node:fs';
import { userInfo } from 'node:os';
import { portOf } from '../../config/ports.ts';
import { userError } from '../../errors.ts';
import { usageError } from '../options.ts';

/** Where to log in, and as whom. */
export interface Login {
  readonly host: string;
  readonly port: number;
  /** PEM of authorities the server's certificate must come from; undefined: what is wrong with it is only told. */
  readonly ca: Buffer | undefined;
  readonly requireTls: boolean;
  /** A SASL mechanism; undefined for the strongest. */
  readonly mechanism: string | undefined;
  readonly authcid: string;
  /** Whose scripts, '' for the same. */
  readonly authzid: string;
  readonly realm: string;
}

/** The options of a login, as `parseArgs` gives them. */
export interface LoginOptions {
  readonly authname: string | undefined;
  readonly username: string | undefined;
  readonly realm: string | undefined;
  readonly mechanism: string | undefined;
  readonly ca: string | undefined;
  readonly requireTls: boolean;
}

/** Rows for `parseArgs`. */
export const loginArguments = {
  authname: { value: 'USER' },
  username: { short: 'u', value: 'USER' },
  realm: { short: 'r', value: 'REALM' },
  mechanism: { short: 'm', value: 'MECH' },
  ca: { value: 'FILE' },
  requireTls: { short: 't' },
} as const;

/**
 * The login a command line describes.
 * @param server host, host:port or [address]:port
 * @param port overrides that of the server
 * @throws MailError 'badsyntax', 'nonexistent' for a file that cannot be read
 */
export function readLogin(server: string, options: LoginOptions, port?: string): Login {
  const [, bracketed, plain, behind] = /^(?:\[([^\]]+)\]|([^:[\]]+))(?::([^:]+))?$/.exec(server) ?? [];
  const host = bracketed ?? plain ?? (server.includes(':') && !/[[\]]/.test(server) ? server : undefined);
  if (host === undefined) throw usageError(`"${server}" is not a server: HOST, HOST:PORT or [ADDRESS]:PORT`);
  const authcid = options.authname ?? options.username ?? userInfo().username;
  return {
    host,
    port: readPort(port ?? behind ?? 'sieve'),
    ca: options.ca === undefined ? undefined : contentOf(options.ca),
    requireTls: options.requireTls,
    mechanism: options.mechanism,
    authcid,
    authzid: options.username === undefined || options.username === authcid ? '' : options.username,
    realm: options.realm ?? '',
  };
}

function readPort(text: string): number {
  const port = /^\d{1,5}$/.test(text) ? Number(text) : portOf(text);
  if (port === undefined || port > 65535) {
    throw usageError(`${text} is not a port and no service is called so`);
  }
  return port;
}

/** @throws MailError 'nonexistent' */
export function contentOf(file: string): Buffer {
  try {
    return readFileSync(file);
  } catch (thrown) {
    throw userError(
      'nonexistent',
      `${file} cannot be read: ${thrown instanceof Error ? thrown.message : thrown}`,
    );
  }
}
