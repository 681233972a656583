/**
 * Who may act as whom (FIELD 67): every kind of user as every other, by each mechanism that can say so, against a table
 * that is written down.
 */

import { expect, test } from 'bun:test';
import { type SaslChannel } from '../../src/auth/channel.ts';
import { clientMechanism } from '../../src/auth/client/mechanisms.ts';
import { Authenticator } from '../../src/auth/login.ts';
import { MECHANISMS } from '../../src/auth/mechanisms.ts';
import { type SaslContext, startSasl } from '../../src/auth/sasl.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { asMailError } from '../../src/errors.ts';
import { createLog } from '../../src/telemetry/log.ts';
import { passwords } from '../auth/passwords.ts';

/** The users, each with the password "pencil". */
const WHO = ['user', 'other', 'admin', 'admin2', 'proxy', 'proxy2', 'master@a.org', 'front@a.org'] as const;
/** As whom they want to act: themselves among them, users of a domain, and somebody who has never been here. */
const TARGETS = [...WHO, 'user@a.org', 'user@b.org', 'nobody'] as const;

/**
 * Rows act as columns, in the order of TARGETS: + may, - may not. Administrators act for everybody, proxy servers for
 * everybody but administrators, those of a domain for users of the domain, everybody for themselves.
 */
const TABLE: Readonly<Record<(typeof WHO)[number], string>> = {
  //               uoaAPpMF dbn
  'user': /*     */ '+-------' + '---',
  'other': /*    */ '-+------' + '---',
  'admin': /*    */ '++++++++' + '+++',
  'admin2': /*   */ '++++++++' + '+++',
  'proxy': /*    */ '++--++-+' + '+++',
  'proxy2': /*   */ '++--++-+' + '+++',
  'master@a.org': '------++' + '+--',
  'front@a.org': '-------+' + '+--',
};

const BOUND: SaslChannel = {
  strength: 256,
  external: null,
  binding: (kind) => kind === 'tls-exporter' ? Buffer.alloc(32, 7) : null,
};

let lines = '';
const log = createLog({
  journal: false,
  level: 'info',
  now: () => 'T',
  write: (bytes) => {
    lines += Buffer.from(bytes).toString();
    return bytes.length;
  },
});
const settings = makeSettings({
  sasl_mech_list: MECHANISMS.map(({ name }) => name),
  servername: 'imap.example.net',
  virtdomains: 'userid',
  admins: ['admin', 'admin2', 'master@a.org'],
  proxyservers: ['proxy', 'proxy2', 'front@a.org'],
});
const authenticator = new Authenticator({
  settings,
  source: passwords((userid) => (WHO as readonly string[]).includes(userid) ? 'pencil' : undefined),
  log,
  sleep: () => Promise.resolve(),
});

/** Who somebody becomes, or why not. */
async function become(
  mechanism: string,
  authcid: string,
  authzid: string,
  password = 'pencil',
): Promise<string> {
  const channel = { ...BOUND, external: authcid };
  const context: SaslContext = {
    settings,
    authenticator,
    channel,
    origin: { protocol: 'imap', remoteAddress: '', localAddress: '', secure: true, connection: '1' },
  };
  const client = clientMechanism(mechanism)?.start({
    ...{ authcid, authzid, password, service: 'imap', host: 'h', realm: '', channel },
    layers: { least: 0, most: 0 },
  });
  if (client === undefined) throw new Error(mechanism);
  try {
    const exchange = startSasl(mechanism, context);
    let step = await exchange.step(client.initial);
    while (step.kind === 'challenge') step = await exchange.step(client.step(step.challenge));
    return `${step.identity.userid}${step.identity.admin ? ' (admin)' : ''}`;
  } catch (thrown) {
    return asMailError(thrown).code;
  }
}

const CAN_SAY = MECHANISMS.filter(({ features, needs }) =>
  features.includes('PROXY_AUTHENTICATION') && needs !== 'token'
);

test('the mechanisms that can say as whom', () => {
  expect(CAN_SAY.map(({ name }) => name)).toEqual(
    expect.arrayContaining(['EXTERNAL', 'SCRAM-SHA-256-PLUS', 'SCRAM-SHA-1', 'DIGEST-MD5', 'PLAIN']),
  );
});

for (const { name } of CAN_SAY) {
  test(`${name}: everybody as everybody`, async () => {
    for (const who of WHO) {
      for (const [at, target] of TARGETS.entries()) {
        const may = TABLE[who][at] === '+';
        const admin = ['admin', 'admin2', 'master@a.org'].includes(target);
        const expected = may ? `${target}${admin ? ' (admin)' : ''}` : 'authorizationfailed';
        expect([who, target, await become(name, who, target)]).toEqual([who, target, expected]);
        // Each attempt leaves a line that names both.
        log.flush();
        const line = lines.trimEnd().split('\n').at(-1) ?? '';
        lines = '';
        expect(line).toContain(`mech=${name} `);
        if (!may) {
          expect(line).toMatch(new RegExp(`result=fail .*reason=authzid user=${who} authzid=${target}$`));
        } else if (target === who) expect(line).not.toContain('proxied_by');
        else expect(line).toMatch(new RegExp(`result=ok .*user=${target} proxied_by=${who}$`));
      }
    }
  });
}

test('a wrong password tells nothing of who may act for whom', async () => {
  for (const who of ['user', 'proxy', 'nobody']) {
    expect(await become('PLAIN', who, 'other', 'wrong')).toBe('authenticationfailed');
  }
});
