import { describe, expect, test } from 'bun:test';
import { Authenticator } from '../../src/auth/login.ts';
import { createDovecotAuth } from '../../src/authd/dovecot.ts';
import { createSaslauthd, readFields } from '../../src/authd/saslauthd.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { MailError } from '../../src/errors.ts';
import { limits } from '../../src/limits.ts';
import type { Service } from '../../src/config/services.ts';
import { silentLog } from '../../src/telemetry/log.ts';
import { passwords } from '../auth/passwords.ts';
import { MemoryConnection } from '../imap/memory_connection.ts';

const PLAIN = Buffer.from('\0django\0pencil').toString('base64');

function services(broken = false) {
  const settings = makeSettings({ sasl_mech_list: ['DIGEST-MD5', 'CRAM-MD5', 'PLAIN', 'LOGIN'] });
  const source = passwords((userid) => userid === 'django' ? 'pencil' : undefined);
  const authenticator = new Authenticator({
    settings,
    source: broken
      ? { ...source, verify: () => Promise.reject(new MailError('server', 'unavailable', 'down')) }
      : source,
    log: silentLog,
    sleep: () => Promise.resolve(),
  });
  return { settings, authenticator, log: silentLog };
}

const SERVICE = { name: 'x' } as Service;

async function dovecot(broken = false) {
  const connection = new MemoryConnection({ unix: true });
  createDovecotAuth(services(broken)).accept(connection, SERVICE);
  const greeting: string[] = [];
  for (;;) {
    const line = await lineOf(connection);
    if (line === 'DONE') break;
    greeting.push(line);
  }
  connection.send('VERSION\t1\t1\nCPID\t42\n');
  return { connection, greeting };
}

/** A line that ends with LF alone. */
async function lineOf(connection: MemoryConnection): Promise<string> {
  return await connection.line('\n') ?? '<closed>';
}

describe("Dovecot's protocol", () => {
  test('begins with what is there, and what each is good for', async () => {
    const { greeting } = await dovecot();
    expect(greeting[0]).toBe('VERSION\t1\t1');
    expect(greeting).toContain('MECH\tPLAIN\tplaintext');
    expect(greeting).toContain('MECH\tCRAM-MD5\tdictionary\tactive');
    expect(greeting).toContain('MECH\tDIGEST-MD5\tdictionary\tactive\tmutual-auth');
    expect(greeting.filter((line) => /^(?:SPID|CUID|COOKIE)\t/.test(line))).toHaveLength(3);
  });

  test('several exchanges side by side, each with its number', async () => {
    const { connection } = await dovecot();
    connection.send(
      'AUTH\t1\tCRAM-MD5\tservice=smtp\nAUTH\t2\tPLAIN\tservice=smtp\tsecured\trip=192.0.2.1\n',
    );
    const first = [await lineOf(connection), await lineOf(connection)].sort();
    expect(first[0]).toMatch(/^CONT\t1\t[A-Za-z0-9+/=]+$/);
    expect(first[1]).toBe('CONT\t2\t');
    connection.send(`CONT\t2\t${PLAIN}\n`);
    expect(await lineOf(connection)).toBe('OK\t2\tuser=django');
    connection.send(`AUTH\t3\tPLAIN\tservice=smtp\tsecured\tresp=${PLAIN}\n`);
    expect(await lineOf(connection)).toBe('OK\t3\tuser=django');
  });

  test('failures say what a client may know; a source that is down is temporary', async () => {
    const { connection } = await dovecot();
    connection.send(
      `AUTH\t1\tPLAIN\tservice=smtp\tsecured\tresp=${Buffer.from('\0django\0x').toString('base64')}\n`,
    );
    expect(await lineOf(connection)).toBe('FAIL\t1\treason=authentication failure');
    connection.send(`AUTH\t2\tPLAIN\tservice=smtp\tresp=${PLAIN}\n`);
    expect(await lineOf(connection)).toStartWith('FAIL\t2\treason=this authentication mechanism needs TLS');
    connection.send('AUTH\t3\tGSSAPI\tservice=smtp\nCONT\t9\tAAAA\n');
    expect(await lineOf(connection)).toStartWith('FAIL\t3\t');
    expect(await lineOf(connection)).toStartWith('FAIL\t9\t');
    const down = await dovecot(true);
    down.connection.send(`AUTH\t1\tPLAIN\tservice=smtp\tsecured\tresp=${PLAIN}\n`);
    expect(await lineOf(down.connection)).toBe('FAIL\t1\ttemp');
  });

  test('what is not the protocol ends the connection', async () => {
    for (
      const text of [
        'VERSION\t2\t0\n',
        'AUTH\tx\tPLAIN\n',
        'AUTH\t1\tCRAM-MD5\nAUTH\t1\tCRAM-MD5\n',
        'x'.repeat(limits.authd_line.value + 1),
        Array.from({ length: limits.authd_requests.value + 1 }, (_, at) => `AUTH\t${at}\tCRAM-MD5\n`).join(
          '',
        ),
      ]
    ) {
      const { connection } = await dovecot();
      connection.send(text);
      expect(connection.closed).toBe(true);
    }
  });
});

describe("saslauthd's protocol", () => {
  const request = (...fields: string[]) =>
    Buffer.concat(fields.flatMap((field) => {
      const length = Buffer.alloc(2);
      length.writeUInt16BE(Buffer.byteLength(field));
      return [length, Buffer.from(field)];
    }));

  test('one request, one answer, in whatever pieces it comes', async () => {
    for (const [password, wanted] of [['pencil', 'OK'], ['wrong', 'NO authentication failed']] as const) {
      const connection = new MemoryConnection({ unix: true });
      createSaslauthd(services()).accept(connection, SERVICE);
      for (const byte of request('django', password, 'imap', '')) connection.send(Buffer.of(byte));
      const answer = Buffer.from(await connection.rest());
      expect(answer.readUInt16BE(0)).toBe(wanted.length);
      expect(answer.subarray(2).toString()).toBe(wanted);
    }
  });

  test('fields are bounded', () => {
    expect(readFields(request('a', 'b', 'c', 'd'))).toHaveLength(4);
    expect(readFields(request('a', 'b', 'c'))).toBe('more');
    expect(readFields(Buffer.of(0xff, 0xff))).toBe('bad');
  });
});
