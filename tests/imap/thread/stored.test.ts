/** THREAD from what the index keeps, and of messages stored before it kept that. */
import { Database } from 'bun:sqlite';
import { expect, test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { parseMessage } from '../../../src/mime/message.ts';
import { readThread } from '../../../src/mime/thread.ts';
import { Random } from '../../harness/random.ts';
import { ModelClient } from '../client.ts';
import { ImapServer } from '../imapserver.ts';

function message(random: Random, index: number): string {
  const id = () => `<${random.below(index + 2)}@x>`;
  const lines = [`Date: Thu, ${1 + random.below(28)} Jan 2026 10:00:00 +0100`];
  if (!random.oneIn(8)) {
    lines.push(
      `Message-ID: ${random.pick([`<${index}@x>`, `<"${index}"@x>`, 'none', `<bad> <${index}@x>`])}`,
    );
  }
  if (random.oneIn(2)) lines.push(`References: ${id()}\n ${id()} nonsense ${random.oneIn(3) ? id() : ''}`);
  if (random.oneIn(3)) {
    lines.push(`In-Reply-To: ${random.pick([id(), `a mail ${id()} of yours`, 'nothing'])}`);
  }
  lines.push(
    `Subject: ${random.pick(['', 'Re: ', 'Fwd: ', '[list] re: '])}${
      random.pick(['', 'one', 'ONE', '=?utf-8?q?gr=C3=BC=C3=9Fe?=', 'GRÜSSE'])
    }`,
  );
  return `${lines.join('\n')}\n\nbody\n`;
}

test('what the index keeps gives the threads that the messages give', async () => {
  const server = await ImapServer.open();
  try {
    const owner = await server.session('django');
    const random = new Random(7);
    for (let index = 0; index < 150; index++) await server.append(owner, '', message(random, index));
    const threads = async (): Promise<string[]> => {
      const client = new ModelClient(server.connect());
      await client.greeting();
      await client.command('LOGIN django secret');
      await client.command('SELECT INBOX');
      const answers: string[] = [];
      for (const algorithm of ['REFERENCES', 'ORDEREDSUBJECT']) {
        answers.push(...(await client.command(`UID THREAD ${algorithm} UTF-8 ALL`)).untagged);
      }
      await client.command('LOGOUT');
      return answers;
    };
    const kept = await threads();
    expect(kept[0]).toMatch(/\(\d+ \d+/);
    const folder = join(server.settings.configdirectory, 'user');
    const index = readdirSync(folder, { recursive: true, encoding: 'utf8' }).find((name) =>
      name.endsWith('django/index.db')
    );
    const db = new Database(join(folder, index as string), { readwrite: true });
    expect(db.query('SELECT count(*) AS n FROM part WHERE thread IS NULL').get()).toEqual({ n: 0 });
    db.run('UPDATE part SET thread = NULL');
    db.close();
    expect(await threads()).toEqual(kept);
    server.forget();
    expect(await threads()).toEqual(kept);
  } finally {
    await server.close();
  }
});

test('the keys of a message are those of its ids and its base subject', () => {
  const of = (header: string) => readThread(parseMessage(Buffer.from(`${header}\r\n\r\n`)).thread);
  const first = of('Message-ID: <1@x>\r\nSubject: Straße');
  const reply = of(
    'Message-ID: <"2"@x>\r\nReferences: <0@x>\r\n <1@x>\r\nIn-Reply-To: <9@x>\r\nSubject: Re: STRASSE',
  );
  expect(first).toMatchObject({ reply: false, references: [] });
  expect(reply).toMatchObject({ reply: true, subject: first.subject, id: of('Message-ID: <2@x>').id });
  expect(reply.references).toEqual([of('Message-ID: <0@x>').id, first.id] as string[]);
  expect(of('In-Reply-To: you said <1@x>').references).toEqual([first.id] as string[]);
  expect(of('Subject: Re:')).toEqual({ subject: '', reply: false, id: null, references: [] });
  expect(of('Subject: another').subject).not.toBe(first.subject);
});
