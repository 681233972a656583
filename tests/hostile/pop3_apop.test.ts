/** APOP: who does not exist cannot be told from who gave a wrong password (FIELD 62, 64): the same replies, the same work. */

import { expect, test } from 'bun:test';
import { createHash } from 'node:crypto';
import { passwords } from '../auth/passwords.ts';
import { Pop3Server } from '../pop3/pop3server.ts';

/** What an attempt was answered, and what was done for it. */
async function attempt(user: string, password: string): Promise<string[]> {
  const done: string[] = [];
  const known = passwords((userid) => userid === 'django' ? 'pencil' : undefined);
  const server = await Pop3Server.open({ allowapop: true }, {
    source: {
      ...known,
      secret(userid) {
        done.push('lookup');
        // Somebody whose password cannot be read back.
        return userid === 'inge' ? Promise.resolve({}) : known.secret(userid);
      },
    },
    sleep: (ms) => {
      done.push(`sleep ${ms}`);
      return Promise.resolve();
    },
  });
  try {
    const client = await server.connect();
    const timestamp = /<.*>/.exec(client.greeting)?.[0] ?? '';
    const digest = createHash('md5').update(timestamp + password).digest('hex');
    done.push(await client.say(`APOP ${user} ${digest}`));
    return done;
  } finally {
    await server.close();
  }
}

test('the same for a wrong password, nobody, a name nobody can have, a password that cannot be read', async () => {
  expect((await attempt('django', 'pencil')).at(-1)).toStartWith('+OK');
  const wrong = await attempt('django', 'wrong');
  expect(wrong).toEqual(['lookup', 'sleep 2000', expect.stringMatching(/^-ERR \[AUTH\] /)]);
  for (const user of ['nobody', '../../', 'inge']) expect(await attempt(user, 'wrong')).toEqual(wrong);
  // An empty password is nobody's, also where there is none.
  for (const user of ['nobody', 'inge']) expect(await attempt(user, '')).toEqual(wrong);
});
