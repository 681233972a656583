/**
 * saslauthd's protocol as a server: whatever is linked to Cyrus SASL with `pwcheck_method: saslauthd` can ask about our
 * users. One request per connection: login, password, service and realm, each with its length in two bytes; the answer is
 * `OK` or `NO`, with its length too.
 */

import type { Connection } from '../net/connection.ts';
import type { Protocol } from '../net/service.ts';
import { decodeText } from '../auth/text.ts';
import { asMailError } from '../errors.ts';
import { limits } from '../limits.ts';
import type { AuthdServices } from './dovecot.ts';

const FIELDS = 4;

/** saslauthd over our users. One per process. */
export function createSaslauthd(services: AuthdServices): Protocol {
  const connections = new Set<Connection>();
  return {
    alpn: 'saslauthd',
    accept(connection: Connection): void {
      connections.add(connection);
      serve(services, connection, () => connections.delete(connection));
    },
    busy: '',
    late: '',
    shutdown(): Promise<void> {
      for (const connection of connections) connection.end();
      return Promise.resolve();
    },
  };
}

function serve(services: AuthdServices, connection: Connection, onEnd: () => void): void {
  let received: Buffer = Buffer.alloc(0);
  let asked = false;
  connection.onClose(onEnd);
  connection.onData((chunk) => {
    if (asked) return;
    received = Buffer.concat([received, chunk]);
    const fields = readFields(received);
    if (fields === 'more') {
      if (received.length > FIELDS * (limits.password_bytes.value + 2)) connection.destroy();
      return;
    }
    asked = true;
    received = Buffer.alloc(0);
    if (fields === 'bad') return connection.destroy();
    void answer(services, connection, fields);
  });
}

/** The four fields once they are there. */
export function readFields(bytes: Buffer): readonly Buffer[] | 'more' | 'bad' {
  const fields: Buffer[] = [];
  let at = 0;
  for (let field = 0; field < FIELDS; field++) {
    if (bytes.length < at + 2) return 'more';
    const length = bytes.readUInt16BE(at);
    if (length > limits.password_bytes.value) return 'bad';
    if (bytes.length < at + 2 + length) return 'more';
    fields.push(bytes.subarray(at + 2, at + 2 + length));
    at += 2 + length;
  }
  return fields;
}

async function answer(
  { authenticator, settings, log }: AuthdServices,
  connection: Connection,
  fields: readonly Buffer[],
): Promise<void> {
  let said: string;
  try {
    const [login = '', password = '', service = '', realm = ''] = fields.map(decodeText);
    await authenticator.authenticate({
      mechanism: 'saslauthd',
      authcid: realm === '' || login.includes('@') || settings.virtdomains === 'off'
        ? login
        : `${login}@${realm}`,
      authzid: '',
      password,
      origin: {
        protocol: service === '' ? 'saslauthd' : service,
        remoteAddress: '',
        localAddress: '',
        secure: true,
        connection: '',
      },
    });
    said = 'OK';
  } catch (thrown) {
    const error = asMailError(thrown);
    if (error.kind === 'server') log.error('saslauthd request failed', { code: error.code, error });
    // The protocol knows no temporary failure; "NO" with a reason is what saslauthd says itself then.
    said = error.kind === 'server'
      ? 'NO authentication is not possible at the moment'
      : 'NO authentication failed';
  }
  const text = Buffer.from(said);
  const length = Buffer.alloc(2);
  length.writeUInt16BE(text.length);
  connection.write(Buffer.concat([length, text]));
  connection.end();
}
