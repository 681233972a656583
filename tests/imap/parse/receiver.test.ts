import { describe, expect, test } from 'bun:test';
import { limitError } from '../../../src/errors.ts';
import { Receiver } from '../../../src/imap/parse/receiver.ts';
import { forSeeds } from '../seeds.ts';
import { Client, receive } from './client.ts';

describe('lines and literals', () => {
  test('commands, pipelined', () => {
    const { commands, events } = receive('a1 noop\r\na2 Uid  x\r\nA3 uid Fetch 1 UID\r\n');
    expect(events).toEqual(['command a1', 'command a2', 'command A3']);
    expect(commands.map(({ name }) => name)).toEqual(['NOOP', 'UID', 'UID FETCH']);
    expect(commands[2]?.lines).toEqual(['A3 uid Fetch 1 UID']);
    expect(commands[2]?.lines[0]?.slice(commands[2].argumentsAt)).toBe(' 1 UID');
  });

  test('a line may end with LF alone, as typed into telnet', () => {
    expect(receive('a1 noop\na2 noop\r\n').events).toEqual(['command a1', 'command a2']);
  });

  test('an empty line before a tag is let pass', () => {
    expect(receive('\r\n\r\na1 noop\r\n\na2 noop\r\n').events).toEqual(['command a1', 'command a2']);
  });

  test('synchronizing and non-synchronizing literals (RFC 7888 §3)', () => {
    const { commands, events } = receive('A1 LOGIN {11+}\r\nFRED FOOBAR {7}\r\nfat\r\nan\r\n');
    expect(events).toEqual(['continue', 'command A1']);
    expect(commands[0]?.literals.map(({ text }) => text)).toEqual(['FRED FOOBAR', 'fat\r\nan']);
    expect(commands[0]?.lines).toEqual(['A1 LOGIN {11+}', ' {7}', '']);
  });

  test('an empty literal', () => {
    expect(receive('a1 login x {0+}\r\n\r\na2 noop\r\n').events).toEqual(['command a1', 'command a2']);
  });

  test('a continuation is asked for once, when the line is complete', () => {
    const client = new Client();
    expect(client.send('a1 login x {3}').outcome.events).toEqual([]);
    expect(client.send('\r\n').outcome.events).toEqual(['continue']);
    expect(client.send('ab').outcome.events).toEqual(['continue']);
    expect(client.send('c\r\n').outcome.events).toEqual(['continue', 'command a1']);
  });

  test('the policy is asked before the continuation, with the name', () => {
    const asked: string[] = [];
    const receiver = new Receiver((name, size, sync) => {
      asked.push(`${name} ${size} ${sync}`);
      return limitError('no', 'toobig');
    });
    receiver.push(Buffer.from('a1 noop {3}\r\na2 noop {3+}\r\nabc\r\na3 noop\r\n'));
    expect(receiver.next()).toMatchObject({ type: 'refused', tag: 'a1' });
    expect(receiver.next()).toMatchObject({ type: 'refused', tag: 'a2' });
    expect(receiver.next()).toMatchObject({ type: 'command' });
    expect(asked).toEqual(['NOOP 3 true', 'NOOP 3 false']);
  });

  test('a line for AUTHENTICATE or IDLE is no command, whatever it holds', () => {
    const receiver = new Receiver();
    receiver.push(Buffer.from('a1 authenticate plain\r\nAGEAYg== {5+}\r\na2 noop\r\n'));
    expect(receiver.next()).toMatchObject({ type: 'command' });
    receiver.expectLine(100);
    expect(receiver.next()).toEqual({ type: 'line', text: 'AGEAYg== {5+}' });
    expect(receiver.next()).toMatchObject({ type: 'command', command: { tag: 'a2' } });
  });

  test('discardBuffered drops what came with STARTTLS (CVE-2021-33515)', () => {
    const receiver = new Receiver();
    receiver.push(Buffer.from('a1 starttls\r\na2 login evil evil\r\na3 no'));
    expect(receiver.next()).toMatchObject({ command: { tag: 'a1' } });
    expect(receiver.discardBuffered()).toBe('a2 login evil evil\r\na3 no'.length);
    receiver.push(Buffer.from('a4 noop\r\n'));
    expect(receiver.next()).toMatchObject({ command: { tag: 'a4' } });
  });
});

describe('the message of an APPEND', () => {
  test('goes to the sink, whatever it holds', () => {
    const message = 'a\0b\rc\nd {5+}\r\na9 noop\r\n';
    const { commands, events, messages } = receive(
      `a1 append INBOX (\\Seen) {${message.length}}\r\n${message}\r\na2 noop\r\n`,
    );
    expect(events).toEqual([`message a1 ${message.length}`, 'command a1', 'command a2']);
    expect(messages).toEqual([message]);
    expect(commands[0]?.literals).toEqual([{
      text: '',
      size: message.length,
      binary: false,
      streamed: true,
    }]);
  });

  test('is told from a mailbox name sent as a literal', () => {
    const { events, messages } = receive('a1 append {5+}\r\nInbox {3+}\r\nabc\r\n');
    expect(events).toEqual(['message a1 3', 'command a1']);
    expect(messages).toEqual(['abc']);
  });

  test('waits for the decision, and the bytes behind it too', () => {
    const receiver = new Receiver();
    receiver.push(Buffer.from('a1 append x {3+}\r\nabc\r\na2 noop\r\n'));
    expect(receiver.next()).toMatchObject({ type: 'message', size: 3, sync: false });
    expect(receiver.next()).toBeUndefined();
    receiver.refuseMessage();
    expect(receiver.next()).toMatchObject({ type: 'command', command: { tag: 'a2' } });
  });

  test('a refused one that was asked for is not sent', () => {
    const receiver = new Receiver();
    receiver.push(Buffer.from('a1 append x {3}\r\n'));
    expect(receiver.next()).toMatchObject({ type: 'message', sync: true });
    receiver.refuseMessage();
    receiver.push(Buffer.from('a2 noop\r\n'));
    expect(receiver.next()).toMatchObject({ type: 'command', command: { tag: 'a2' } });
  });

  test('a sink that fails in the middle refuses the command and keeps step', () => {
    const receiver = new Receiver();
    receiver.push(Buffer.from('a1 append x {20+}\r\n0123456789'));
    expect(receiver.next()).toMatchObject({ type: 'message' });
    receiver.acceptMessage({
      write: () => {
        throw limitError('the message is too big', 'toobig');
      },
    });
    expect(receiver.next()).toMatchObject({ type: 'refused', tag: 'a1', fatal: false });
    receiver.push(Buffer.from('a8 noop\r\n1\r\na2 noop\r\n'));
    expect(receiver.next()).toMatchObject({ type: 'command', command: { tag: 'a2' } });
  });

  test('several messages in one APPEND go to a sink each (RFC 3502)', () => {
    const { commands, events, messages } = receive(
      'a1 append x (k) {1+}\r\na (\\Seen) {2+}\r\nb\n {3}\r\ncde\r\na2 noop\r\n',
    );
    expect(events).toEqual(['message a1 1', 'message a1 2', 'message a1 3', 'command a1', 'command a2']);
    expect(messages).toEqual(['a', 'b\n', 'cde']);
    expect(commands[0]?.lines).toEqual(['a1 append x (k) {1+}', ' (\\Seen) {2+}', ' {3}', '']);
  });

  test('a further message is handed over with its own line only, and can be refused', () => {
    const receiver = new Receiver();
    receiver.push(Buffer.from('a1 append x {1+}\r\na (\\Seen) {9+}\r\nbcdefghij {2+}\r\nk\n\r\na2 noop\r\n'));
    expect(receiver.next()).toMatchObject({ type: 'message', further: false });
    receiver.acceptMessage({ write: () => {} });
    expect(receiver.next()).toMatchObject({
      type: 'message',
      further: true,
      size: 9,
      command: { tag: 'a1', name: 'APPEND', argumentsAt: 0, lines: [' (\\Seen) {9+}', ''] },
    });
    receiver.refuseMessage();
    expect(receiver.next()).toMatchObject({ type: 'command', command: { tag: 'a2' } });
  });

  test('a large one is never held', () => {
    const client = new Client();
    client.send('a1 append x {10000000+}\r\n');
    const chunk = 'x'.repeat(50_000);
    for (let i = 0; i < 200; i++) client.send(chunk);
    expect(client.send('\r\n').outcome.events).toEqual(['message a1 10000000', 'command a1']);
    expect(client.outcome.messages[0]?.length).toBe(10_000_000);
    expect(client.held).toBe(0);
  });
});

test('where the stream is cut makes no difference', () => {
  const pieces = [
    'a1 noop\r\n',
    '\r\n',
    'a2 login {3+}\r\na\nb {2}\r\nxy\r\n',
    'a3 append INBOX {12+}\r\na\0b\r\n {3+}\r\n\r\n',
    'm3 append {5+}\r\nInbox {3+}\r\n\r\n. (\\Seen) {4+}\r\n{1}\r {2}\r\nxy\r\n',
    'n3 append x {1+}\r\na\0 {7+}\r\na noop\n\r\n',
    'bad(tag noop {4+}\r\nx\r\ny {2+}\r\nzz\r\n',
    'a4 noop\rnoop {3+}\r\nabc\r\n',
    'a5 search text {2000000+}\r\n' + 'x'.repeat(500) + '\r\n',
    'a6 noop ' + 'y'.repeat(70_000) + '{5+}\r\nq\r\nrs\r\n',
    'a7 noop\n',
  ];
  forSeeds(150, (random) => {
    const text = Array.from({ length: 1 + random.below(8) }, () => random.pick(pieces)).join('');
    const whole = receive(text);
    const client = new Client().sendInPieces(text, random);
    expect(client.outcome).toEqual(whole);
  });
});
