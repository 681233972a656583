/** SEARCH over bodies of any size: a bounded piece of each message is decoded, and no more. */

import { expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { ModelClient } from '../imap/client.ts';
import { ImapServer } from '../imap/imapserver.ts';

test('text up to the bound is found, text beyond it is not', async () => {
  const server = await ImapServer.open();
  try {
    const owner = await server.session('django');
    const line = `${'x'.repeat(76)}\r\n`;
    const filling = line.repeat(Math.ceil(limits.imap_search_text.value / line.length));
    await server.append(owner, '', `Subject: late\r\n\r\n${filling}needle\r\n`);
    await server.append(owner, '', `Subject: early\r\n\r\nneedle\r\n${filling}`);
    const client = new ModelClient(server.connect());
    await client.greeting();
    await client.command('LOGIN django secret');
    await client.command('SELECT INBOX');
    expect((await client.command('SEARCH BODY needle')).untagged).toEqual(['* SEARCH 2']);
    expect((await client.command('SEARCH TEXT late')).untagged).toEqual(['* SEARCH 1']);
  } finally {
    await server.close();
  }
});

test('a search of hundreds of keys over a full mailbox is answered', async () => {
  const server = await ImapServer.open();
  try {
    const owner = await server.session('django');
    for (let i = 0; i < 50; i++) await server.append(owner, '', `Subject: ${i}\r\n\r\nbody ${i}\r\n`);
    const client = new ModelClient(server.connect());
    await client.greeting();
    await client.command('LOGIN django secret');
    await client.command('SELECT INBOX');
    const many = Array.from({ length: 400 }, (_, i) => `NOT SUBJECT "none ${i}"`).join(' ');
    const { untagged, result } = await client.command(`SEARCH RETURN (COUNT) ${many}`);
    expect(untagged[0]).toMatch(/COUNT 50$/);
    expect(result).toMatch(/^OK/);
    const tooMany = Array.from({ length: limits.imap_search_nodes.value + 1 }, () => 'SEEN').join(' ');
    expect((await client.command(`SEARCH ${tooMany}`)).result).toMatch(/^BAD/);
    const deep = `${'('.repeat(5000)}SEEN${')'.repeat(5000)}`;
    expect((await client.command(`SEARCH ${deep}`)).result).toMatch(/^BAD/);
    const nots = `${'NOT '.repeat(5000)}SEEN`;
    expect((await client.command(`SEARCH ${nots}`)).result).toMatch(/^BAD/);
  } finally {
    await server.close();
  }
});
