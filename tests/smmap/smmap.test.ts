/** The socketmap: who may have mail, in the words of Cyrus's smmapd, and what happens to peers that speak no socketmap. */

import { afterAll, beforeAll, describe, expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import type { Store } from '../../src/store/border.ts';
import { answerOf, SmmapServer } from './smmapserver.ts';

/** The store, with other answers about recipients. */
function answering(store: Store, recipient: Store['recipient']): Store {
  return new Proxy(store, {
    get(target, name) {
      if (name === 'recipient') return recipient;
      const value: unknown = Reflect.get(target, name, target);
      return typeof value === 'function' ? value.bind(target) : value;
    },
  });
}

let server: SmmapServer;
beforeAll(async () => {
  server = await SmmapServer.open({ virtdomains: 'off', createonpost: false, postuser: 'bb' });
  for (const userid of ['django', 'full', 'größe']) {
    await server.store.session({ userid, admin: false, groups: [] }).login();
  }
  const admin = server.store.session({ userid: 'cyrus', admin: true, groups: [] });
  for (const [path, rights] of [['open', 'lrsp'], ['shut', 'lrs'], ['hidden', 'p']] as const) {
    await admin.create({ owner: '', path });
    await admin.setAcl({ owner: '', path }, 'anyone', rights);
  }
  await admin.setQuota({ owner: 'full', path: '' }, { storage: 0, messages: null });
});
afterAll(() => server.close());

describe('a recipient', () => {
  for (
    const [key, answer] of [
      ['django@example.org', 'OK django@example.org'],
      ['django', 'OK django'],
      ['DJANGO@EXAMPLE.ORG', 'OK DJANGO@EXAMPLE.ORG'],
      ['django+folder@example.org', 'OK django+folder@example.org'],
      ['"django"@example.org', 'OK "django"@example.org'],
      ['größe@example.org', 'OK größe@example.org'],
      ['+open@example.org', 'OK +open@example.org'],
      ['bb+open@example.org', 'OK bb+open@example.org'],
      ['+shut@example.org', 'NOTFOUND Mailbox does not exist'],
      ['+hidden@example.org', 'OK +hidden@example.org'],
      ['+none@example.org', 'NOTFOUND Mailbox does not exist'],
      ['nobody@example.org', 'NOTFOUND Mailbox does not exist'],
      ['@example.org', 'NOTFOUND Mailbox does not exist'],
      ['example.org', 'NOTFOUND Mailbox does not exist'],
      ['""@example.org', 'NOTFOUND Mailbox does not exist'],
      ['', 'NOTFOUND Mailbox does not exist'],
      ['django\0@example.org', 'NOTFOUND Mailbox does not exist'],
      ['../django@example.org', 'NOTFOUND Mailbox does not exist'],
      ['*@example.org', 'NOTFOUND Mailbox does not exist'],
      ['django@example.org extra', 'OK django@example.org extra'],
      ['full@example.org', 'TEMP Over quota'],
    ] as const
  ) {
    test(JSON.stringify(key), async () => expect(await server.ask(key)).toBe(answer));
  }

  test('over quota for good where the configuration says so', async () => {
    const strict = await SmmapServer.open({ lmtp_overquota_perm_failure: true });
    try {
      await strict.store.session({ userid: 'full', admin: false, groups: [] }).login();
      await strict.store.session({ userid: 'cyrus', admin: true, groups: [] })
        .setQuota({ owner: 'full', path: '' }, { storage: 0, messages: null });
      expect(await strict.ask('full@example.org')).toBe('PERM Over quota');
    } finally {
      await strict.close();
    }
  });

  test('of a virtual domain', async () => {
    const virtual = await SmmapServer.open({ virtdomains: 'on', defaultdomain: 'example.org' });
    try {
      await virtual.store.session({ userid: 'inge@omni128.de', admin: false, groups: [] }).login();
      expect(await virtual.ask('inge@omni128.de')).toBe('OK inge@omni128.de');
      expect(await virtual.ask('inge@example.org')).toBe('NOTFOUND Mailbox does not exist');
      expect(await virtual.ask('inge')).toBe('NOTFOUND Mailbox does not exist');
    } finally {
      await virtual.close();
    }
  });

  test('while the store cannot tell, the sender is to try again', async () => {
    const broken = await SmmapServer.open(
      {},
      (store) => answering(store, () => Promise.reject(Object.assign(new Error('disk'), { code: 'EIO' }))),
    );
    try {
      expect(await broken.ask('django@example.org')).toBe('TEMP Temporary failure, try again later');
    } finally {
      await broken.close();
    }
  });
});

test('a store that does not answer in time: TIMEOUT, and the next question is answered', async () => {
  let hangs = true;
  const slow = await SmmapServer.open(
    {},
    (store) => answering(store, (request) => hangs ? new Promise(() => {}) : store.recipient(request)),
  );
  try {
    await slow.store.session({ userid: 'django', admin: false, groups: [] }).login();
    expect(await slow.ask('django')).toBe('TIMEOUT the mail store does not answer');
    hangs = false;
    expect(await slow.ask('django')).toBe('OK django');
  } finally {
    await slow.close();
  }
});

test('a connection is used for many questions, in whatever pieces they come', async () => {
  const connection = server.connect();
  const asked = Array.from({ length: 200 }, (_, number) => number % 2 === 0 ? 'django' : `x${number}`);
  const bytes = Buffer.from(asked.map((key) => `${key.length + 2}:m ${key},`).join(''));
  for (let at = 0; at < bytes.length; at += 7) connection.send(bytes.subarray(at, at + 7));
  for (const key of asked) {
    expect(await answerOf(connection)).toBe(
      key === 'django' ? 'OK django' : 'NOTFOUND Mailbox does not exist',
    );
  }
  connection.hangUp();
});

describe('what is no request', () => {
  for (
    const [sent, reason] of [
      ['x', 'missing length'],
      ['GET / HTTP/1.1\r\n', 'missing length'],
      [':m django,', 'missing length'],
      ['-1:m django,', 'missing length'],
      ['008:m django,', 'missing length'],
      ['99999999999999999999:', 'missing length'],
      [`${limits.smmap_request.value + 1}:`, 'the request is too long'],
      ['8:m django;', 'missing terminator'],
      ['6:m django,', 'missing terminator'],
      ['6:django,', 'missing key'],
      ['0:,', 'missing key'],
      ['\x16\x03\x01\x02', 'missing length'],
    ] as const
  ) {
    test(`${JSON.stringify(sent)} is refused, and nothing behind it is read`, async () => {
      const connection = server.connect();
      connection.send(`${sent}8:m django,`);
      expect(await answerOf(connection)).toBe(`PERM protocol error (${reason})`);
      expect(await answerOf(connection)).toBe('<closed>');
    });
  }
});

test('who is not in a trusted network learns nothing', async () => {
  const connection = server.connect({ remoteAddress: '192.0.2.1' });
  connection.send('8:m django,');
  expect(await answerOf(connection)).toBe('<closed>');
  const near = server.connect({ remoteAddress: '127.0.0.1' });
  near.send('8:m django,');
  expect(await answerOf(near)).toBe('OK django');
});

test('questions behind one that is answered wait outside', () => {
  const connection = server.connect();
  const many = Buffer.from('8:m django,'.repeat(20_000));
  for (let at = 0; at < many.length; at += 16_384) connection.send(many.subarray(at, at + 16_384));
  expect(connection.paused).toBe(true);
  connection.hangUp();
});

test('a connection that says nothing for long is closed', () => {
  const connection = server.connect();
  expect(connection.idleTimeout).toBe(limits.smmap_idle.value * 1000);
  connection.expireIdle();
  expect(connection.closed).toBe(true);
});
