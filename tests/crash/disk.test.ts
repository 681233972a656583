/** The model of a disk and the reading of traces, on recordings of a few lines. */
import { describe, expect, test } from 'bun:test';
import { Disk, type Fates, type Image } from './power/disk.ts';
import { everything, nothing } from './power/fates.ts';
import type { Recording } from './power/operation.ts';
import { Recorder, type Tree } from './power/recording.ts';
import { parseTrace, pathOfDescriptor, stringsOf, trailingNumbers } from './power/trace.ts';

function hex(text: string): string {
  return [...Buffer.from(text)].map((byte) => `\\x${byte.toString(16).padStart(2, '0')}`).join('');
}

const open = (path: string) =>
  `1 openat(AT_FDCWD<${hex('/r')}>, "${hex(path)}", O_WRONLY|O_CREAT, 0600) = 3<${hex(path)}>`;
const write = (path: string, text: string) =>
  `1 write(3<${hex(path)}>, "${hex(text)}", ${text.length}) = ${text.length}`;
const sync = (path: string) => `1 fsync(3<${hex(path)}>) = 0`;
const rename = (from: string, to: string) => `1 rename("${hex(from)}", "${hex(to)}") = 0`;

function recorded(...lines: string[]): Recording {
  return Recorder.record('/r', Buffer.from(lines.join('\n')));
}

function diskOf(...lines: string[]): Disk {
  const disk = new Disk(recorded(...lines));
  disk.advance(Infinity);
  return disk;
}

function textOf(image: Image): Record<string, string> {
  return Object.fromEntries(
    image.files.map(({ path, bytes, size }) => [path, bytes.toString('latin1').padEnd(size, '\0')]),
  );
}

describe('trace', () => {
  test('a call in two lines keeps both moments', () => {
    const lines = [
      `7 fsync(5<${hex('/r/a')}> <unfinished ...>`,
      write('/r/a', 'x'),
      '7 <... fsync resumed>)           = 0',
      '8 <... ??? resumed>) = ?',
      '8 +++ killed by SIGKILL +++',
    ];
    const calls = [...parseTrace(Buffer.from(lines.join('\n')))];
    expect(calls.map(({ name, begun, ended, result }) => ({ name, begun, ended, result }))).toEqual([
      { name: 'write', begun: 1, ended: 1, result: 1 },
      { name: 'fsync', begun: 0, ended: 2, result: 0 },
    ]);
  });

  test('descriptors, strings and offsets', () => {
    const args = `5<${hex('/r/a b')}>, "${hex('one')}", 3, 4096`;
    expect(pathOfDescriptor(args)).toBe('/r/a b');
    expect(pathOfDescriptor('7<TCP:[127.0.0.1:24->127.0.0.1:48782]>, ""')).toBe(
      'TCP:[127.0.0.1:24->127.0.0.1:48782]',
    );
    expect(stringsOf(args).map(String)).toEqual(['one']);
    expect(trailingNumbers(args)).toEqual([3, 4096]);
  });

  test('a string that was cut off is no string', () => {
    expect(() => stringsOf(`3, "${hex('one')}"..., 3`)).toThrow('cut off');
  });
});

describe('disk', () => {
  test('without a sync everything may be there and nothing', () => {
    const disk = diskOf(open('/r/a'), write('/r/a', 'bytes'));
    expect(textOf(disk.image(nothing))).toEqual({});
    expect(textOf(disk.image(everything))).toEqual({ a: 'bytes' });
  });

  test('fsync of a file does not keep its name, fsync of the folder does not keep the bytes', () => {
    expect(textOf(diskOf(open('/r/a'), write('/r/a', 'bytes'), sync('/r/a')).image(nothing))).toEqual({});
    expect(textOf(diskOf(open('/r/a'), write('/r/a', 'bytes'), sync('/r')).image(nothing))).toEqual({
      a: '',
    });
    const both = diskOf(open('/r/a'), write('/r/a', 'bytes'), sync('/r/a'), sync('/r'));
    expect(textOf(both.image(nothing))).toEqual({ a: 'bytes' });
  });

  test('a rename that is not sure leaves the old name, never both or none', () => {
    const disk = diskOf(
      open('/r/new'),
      write('/r/new', 'bytes'),
      sync('/r/new'),
      sync('/r'),
      rename('/r/new', '/r/old'),
    );
    expect(textOf(disk.image(nothing))).toEqual({ new: 'bytes' });
    expect(textOf(disk.image(everything))).toEqual({ old: 'bytes' });
  });

  test('a sync covers what had ended when it began', () => {
    const disk = diskOf(
      open('/r/a'),
      sync('/r'),
      `2 fsync(3<${hex('/r/a')}> <unfinished ...>`,
      write('/r/a', 'bytes'),
      '2 <... fsync resumed>) = 0',
    );
    expect(textOf(disk.image(nothing))).toEqual({ a: '' });
  });

  test('a sync whose process was killed, or that failed, covers nothing', () => {
    const killed = `1 fsync(3<${hex('/r/a')}> <unfinished ...>\n1 <... fsync resumed>) = ?`;
    const failed = `1 fsync(3<${hex('/r/a')}>) = -1 EIO (Input/output error)`;
    for (const end of [killed, failed]) {
      const disk = diskOf(open('/r/a'), sync('/r'), write('/r/a', 'bytes'), end);
      expect(textOf(disk.image(nothing))).toEqual({ a: '' });
    }
  });

  test('a write is torn at sectors, the size may tell of bytes that are not there', () => {
    const disk = diskOf(open('/r/a'), sync('/r'), write('/r/a', 'a'.repeat(512) + 'b'.repeat(512)));
    const fates: Fates = {
      ...everything,
      data: () => ({ size: true, sector: (offset) => offset > 0, stale: null }),
    };
    expect(textOf(disk.image(fates))).toEqual({ a: '\0'.repeat(512) + 'b'.repeat(512) });
  });

  test('a syncfs keeps what lies below its folder', () => {
    const disk = diskOf(
      `1 mkdir("${hex('/r/d')}", 0700) = 0`,
      sync('/r'),
      open('/r/d/a'),
      write('/r/d/a', 'bytes'),
      open('/r/b'),
      `1 syncfs(4<${hex('/r/d')}>) = 0`,
    );
    expect(textOf(disk.image(nothing))).toEqual({ 'd/a': 'bytes' });
  });

  test('files that were there before, with two names or with space behind them', () => {
    const begin: Tree = new Map([
      ['d', null],
      ['d/a', { bytes: Buffer.from('bytes'), size: 7, other: null }],
      ['b', { bytes: Buffer.from('bytes'), size: 7, other: 'd/a' }],
    ]);
    const disk = new Disk(Recorder.record('/r', Buffer.from(write('/r/d/a', 'BY')), begin));
    expect(textOf(disk.image(nothing))).toEqual({});
    disk.advance(1);
    expect(textOf(disk.image(nothing))).toEqual({ 'd/a': 'bytes\0\0', b: 'bytes\0\0' });
    expect(textOf(disk.image(everything))).toEqual({ 'd/a': 'BYtes\0\0', b: 'BYtes\0\0' });
  });

  test('the same disk has the same hash, whichever files of the recording it is made of', () => {
    const lines = [open('/r/a'), write('/r/a', 'bytes'), sync('/r/a'), sync('/r')];
    const whole = diskOf(...lines).image(nothing);
    const renamed = [open('/r/x'), write('/r/x', 'bytes'), sync('/r/x'), rename('/r/x', '/r/a'), sync('/r')];
    expect(diskOf(...lines, ...renamed).image(nothing).hash).toBe(whole.hash);
    expect(diskOf(...lines, rename('/r/a', '/r/b'), sync('/r')).image(nothing).hash).not.toBe(whole.hash);
  });

  test('a sync that is left out of the recording', () => {
    const recording = recorded(open('/r/a'), sync('/r'), write('/r/a', 'bytes'), sync('/r/a'));
    const site = recording.operations.findLast(({ change }) => change.kind === 'sync')?.change;
    const disk = new Disk(recording, new Set([site !== undefined && 'site' in site ? site.site : '']));
    disk.advance(Infinity);
    expect(textOf(disk.image(nothing))).toEqual({ a: '' });
  });
});
