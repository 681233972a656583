import { describe, expect, test } from 'bun:test';
import { createLog, logfmtValue } from '../../src/telemetry/log.ts';

/** A log into an array of system calls. */
function collect(options: { level?: 'error' | 'warn' | 'info' | 'debug'; journal?: boolean } = {}) {
  const writes: string[] = [];
  const log = createLog({
    ...options,
    now: () => 'T',
    write: (bytes) => {
      writes.push(Buffer.from(bytes).toString());
      return bytes.length;
    },
  });
  return { log, writes, text: () => (log.flush(), writes.join('')) };
}

describe('log injection (FIELD 72, invariant 1)', () => {
  const hostile: readonly [string, string, string][] = [
    ['a line end', 'a\r\nlevel=error msg=forged', '"a\\r\\nlevel=error msg=forged"'],
    ['an escape sequence', '\u001b[2J', '"\\u001b[2J"'],
    ['a C1 control', '\u009b31m', '"\\u009b31m"'],
    ['text turned round', 'a\u202egpj.exe', '"a\\u202egpj.exe"'],
    ['isolates', '\u2066x\u2069', '"\\u2066x\\u2069"'],
    ['a line separator', 'a\u2028b', '"a\\u2028b"'],
    ['invisible characters', 'a\u200bb\ufeff', '"a\\u200bb\\ufeff"'],
    ['invisible tags', 'a\u{e0041}', '"a\\U000e0041"'],
    ['a lone surrogate', '\ud800x', '"\\ud800x"'],
    ['quotes and backslashes', 'a"b\\c', '"a\\"b\\\\c"'],
    ['another field', 'x user=root', '"x user=root"'],
    ['an equals sign', 'user=root', '"user=root"'],
    ['NUL and DEL', '\u0000\u007f', '"\\u0000\\u007f"'],
    ['nothing', '', '""'],
  ];
  for (const [name, value, written] of hostile) {
    test(name, () => expect(logfmtValue(value)).toBe(written));
  }

  test('what people write stays readable', () => {
    expect(logfmtValue('<4711.abc@mail.example.org>')).toBe('<4711.abc@mail.example.org>');
    expect(logfmtValue('Jürgen Groß 😀')).toBe('"Jürgen Groß 😀"');
  });

  test('a flood is cut', () => {
    expect(logfmtValue('x'.repeat(100_000)).length).toBeLessThan(1100);
  });

  test('every line of any input is one line', () => {
    const { log, text } = collect();
    let seed = 4711;
    for (let round = 0; round < 500; round++) {
      let value = '';
      for (let at = 0; at < 20; at++) {
        seed = (Math.imul(seed, 1664525) + 1013904223) >>> 0;
        value += String.fromCharCode(seed >>> 16 & (round % 2 === 0 ? 0x7f : 0xffff));
      }
      log.info('event', { value });
    }
    const lines = text().split('\n');
    expect(lines.length).toBe(501);
    for (const line of lines.slice(0, -1)) expect(line).toMatch(/^time=T level=info msg=event value=/);
  });
});

test('levels, and a level that changes while running', () => {
  const { log, text } = collect({ level: 'warn' });
  const child = log.child({ role: 'worker' });
  child.info('no');
  child.warn('yes', { n: 1, nothing: undefined, absent: null, on: true, big: 12n });
  log.setLevel('debug');
  child.debug('now');
  expect(child.enabled('debug')).toBe(true);
  expect(text()).toBe(
    'time=T level=warn msg=yes role=worker n=1 absent=- on=true big=12\ntime=T level=debug msg=now role=worker\n',
  );
});

test('the journal gets priorities and no time (sd-daemon(3))', () => {
  const { log, text } = collect({ journal: true, level: 'debug' });
  log.error('a');
  log.warn('b');
  log.info('c');
  log.debug('d');
  expect(text()).toBe(
    '<3>level=error msg=a\n<4>level=warn msg=b\n<6>level=info msg=c\n<7>level=debug msg=d\n',
  );
});

test('an error gives its message, and its stack at debug as one line', () => {
  const { log, text } = collect({ level: 'debug' });
  log.error('failed', { error: new Error('first\nsecond') });
  const lines = text().trimEnd().split('\n');
  expect(lines[0]).toBe('time=T level=error msg=failed error="first\\nsecond"');
  expect(lines[1]).toStartWith('time=T level=debug msg=stack error="Error: first\\nsecond\\n');
  expect(lines.length).toBe(2);
});

test('the lines of one turn are one write (invariant 2)', async () => {
  const { log, writes } = collect();
  for (let line = 0; line < 100; line++) log.info('line', { line });
  expect(writes.length).toBe(0);
  await new Promise((resolve) => setImmediate(resolve));
  expect(writes.length).toBe(1);
  expect(writes[0]?.split('\n').length).toBe(101);
});

test('partial writes are continued, a full pipe is tried again, what is lost is counted (invariant 4)', async () => {
  let blocked = true;
  let seen = '';
  const log = createLog({
    now: () => 'T',
    write: (bytes) => {
      if (blocked) throw Object.assign(new Error('full'), { code: 'EAGAIN' });
      const taken = Math.min(bytes.length, 1000);
      seen += Buffer.from(bytes.subarray(0, taken)).toString();
      return taken;
    },
  });
  for (let line = 0; line < 20_000; line++) log.info('a line of some length that fills the buffer', { line });
  blocked = false;
  log.flush();
  log.flush();
  const lines = seen.trimEnd().split('\n');
  expect(lines[0]).toBe('time=T level=info msg="a line of some length that fills the buffer" line=0');
  expect(lines.at(-1)).toMatch(/^level=warn msg="log lines lost" count=\d+$/);
  expect(lines.length - 1 + Number(/count=(\d+)/.exec(seen)?.[1])).toBe(20_000);
  await new Promise((resolve) => setImmediate(resolve));
});

test('many lines leave in writes that a pipe takes whole', () => {
  const { log, writes } = collect();
  for (let line = 0; line < 2000; line++) log.info('line', { line });
  log.flush();
  expect(writes.length).toBeLessThan(30);
  for (const write of writes) {
    expect(write.length).toBeLessThanOrEqual(4096);
    expect(write).toEndWith('\n');
  }
});
