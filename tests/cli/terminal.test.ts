import { describe, expect, test } from 'bun:test';
import { LineEditor } from '../../src/cli/terminal.ts';

function typed(...keys: string[]): unknown {
  const editor = new LineEditor();
  let result: unknown = 'more';
  for (const key of keys) result = editor.push(Buffer.from(key));
  return result;
}

describe('typing a line', () => {
  test('ends with Enter', () => {
    expect(typed('pencil\r')).toEqual({ line: 'pencil' });
    expect(typed('pen', 'cil', '\n')).toEqual({ line: 'pencil' });
    expect(typed('\r')).toEqual({ line: '' });
    expect(typed('pencil')).toBe('more');
  });

  test('can be corrected', () => {
    expect(typed('penx\x7fcil\r')).toEqual({ line: 'pencil' });
    expect(typed('x\b\b\bpencil\r')).toEqual({ line: 'pencil' });
    expect(typed('wrong\x15pencil\r')).toEqual({ line: 'pencil' });
    expect(typed('pü\x7füx😀\x7f\r')).toEqual({ line: 'püx' });
  });

  test('takes characters that arrive in pieces', () => {
    const editor = new LineEditor();
    const bytes = Buffer.from('ü😀\r');
    for (const byte of bytes.subarray(0, -1)) expect(editor.push(Uint8Array.of(byte))).toBe('more');
    expect(editor.push(Uint8Array.of(0x0d))).toEqual({ line: 'ü😀' });
  });

  test('can be given up', () => {
    expect(typed('pen', '\x03')).toBe('interrupted');
    expect(typed('\x04')).toBe('interrupted');
    expect(typed('pen\x04cil\r')).toEqual({ line: 'pencil' });
  });

  test('takes no control characters and no end of characters', () => {
    expect(typed('a\x00\x1bb\tc\r')).toEqual({ line: 'abc' });
    const { line } = typed('x'.repeat(100_000), '\r') as { line: string };
    expect(line.length).toBe(4096);
  });
});

test('on a real terminal nothing of the password is shown', async () => {
  const program = `
    import { openTerminal } from '${import.meta.dir}/../../src/cli/terminal.ts';
    const terminal = openTerminal();
    const first = await terminal.ask('First: ', { echo: false });
    const second = await terminal.ask('Second: ', { echo: true });
    process.stdout.write('got ' + [...first].reverse().join('') + ' and ' + second.length + '\\n');
    process.exit(0);
  `;
  let shown = '';
  const waiting: { text: string; found: () => void }[] = [];
  const decoder = new TextDecoder();
  const terminal = new Bun.Terminal({
    cols: 80,
    rows: 24,
    data(_terminal, data) {
      shown += decoder.decode(data, { stream: true });
      for (const { text, found } of waiting) if (shown.includes(text)) found();
    },
  });
  const appears = (text: string) =>
    new Promise<void>((found) => shown.includes(text) ? found() : void waiting.push({ text, found }));
  const child = Bun.spawn([process.execPath, '-e', program], { terminal });
  try {
    await appears('First: ');
    terminal.write('pencil\r');
    await appears('Second: ');
    terminal.write('visible\r');
    await appears('and 7');
    expect(await child.exited).toBe(0);
  } finally {
    child.kill();
    terminal.close();
  }
  expect(shown).toContain('got licnep and 7');
  expect(shown).not.toContain('pencil');
  expect(shown).toContain('visible');
}, 10_000);
