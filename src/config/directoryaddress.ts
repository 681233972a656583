/** Where a directory is: `ldap://host:port`, `ldaps://host:port`, `ldapi://%2fpath%2fto%2fsocket`. */

export interface DirectoryAddress {
  /** As it was written, for messages. */
  readonly text: string;
  readonly scheme: 'ldap' | 'ldaps' | 'ldapi';
  /** '' for a socket. */
  readonly host: string;
  readonly port: number;
  /** The socket of `ldapi`, '' otherwise. */
  readonly path: string;
}

/** OpenLDAP's own, for `ldapi:///`. */
const DEFAULT_SOCKET = '/var/run/slapd/ldapi';

/** Undefined for what is no such address. A DN, filter or attributes behind it are none of an address. */
export function directoryAddress(text: string): DirectoryAddress | undefined {
  const socket = /^ldapi:\/\/([^/?]*)\/?$/i.exec(text);
  if (socket !== null) {
    let path: string;
    try {
      path = decodeURIComponent(socket[1] as string);
    } catch {
      return undefined;
    }
    if (path === '') path = DEFAULT_SOCKET;
    return path.startsWith('/') ? { text, scheme: 'ldapi', host: '', port: 0, path } : undefined;
  }
  const network = /^(ldaps?):\/\/(\[[0-9a-f:.]+\]|[a-z0-9._-]+)(?::(\d{1,5}))?\/?$/i.exec(text);
  if (network === null) return undefined;
  const scheme = (network[1] as string).toLowerCase() as 'ldap' | 'ldaps';
  const port = network[3] === undefined ? (scheme === 'ldaps' ? 636 : 389) : Number(network[3]);
  if (port < 1 || port > 65_535) return undefined;
  return { text, scheme, host: (network[2] as string).replace(/^\[|\]$/g, ''), port, path: '' };
}
