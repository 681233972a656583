import { afterEach, beforeEach, expect, test } from 'bun:test';
import {
  chmodSync,
  lstatSync,
  mkdtempSync,
  readdirSync,
  readFileSync,
  readlinkSync,
  rmSync,
  symlinkSync,
  writeFileSync,
} from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import type { CommandIo } from '../../src/cli/command.ts';
import { installCommand } from '../../src/cli/install.ts';
import { installSteps } from '../../src/cli/install/plan.ts';
import { uninstallCommand } from '../../src/cli/uninstall.ts';

let root: string;
let binary: string;
beforeEach(() => {
  root = mkdtempSync(join(tmpdir(), 'mailstore-install-'));
  binary = join(root, 'built');
  writeFileSync(binary, 'the executable');
});
afterEach(() => rmSync(root, { recursive: true }));

/** Runs a command; resolves to what it printed. */
async function run(command: typeof installCommand, ...args: string[]): Promise<string> {
  let text = '';
  const io: CommandIo = {
    stdin: new Blob([]).stream() as ReadableStream<Uint8Array>,
    stdout: (part) => void (text += part),
    stderr: (part) => void (text += part),
    env: {},
  };
  expect(await command.run(args, io)).toBe(0);
  return text;
}

/** Everything below the root as text: path, type, mode, owner, time and content. */
function snapshot(): string[] {
  return readdirSync(root, { recursive: true, encoding: 'utf8' }).sort().map((name) => {
    const path = join(root, name);
    const stat = lstatSync(path);
    const content = stat.isSymbolicLink()
      ? readlinkSync(path)
      : stat.isFile()
      ? readFileSync(path, 'latin1')
      : '';
    return `${name} ${stat.mode.toString(8)} ${stat.uid}:${stat.gid} ${stat.ino} ${
      stat.isFile() ? stat.mtimeMs : ''
    } ${content}`;
  });
}

test('a dry run says what would be done and does nothing', async () => {
  const before = snapshot();
  const text = await run(installCommand, '--dry-run', '--root', root, '--binary', binary);
  expect(text).toContain(`would write ${root}/etc/systemd/system/mailstore.service`);
  expect(text).toContain(`would copy ${binary} to ${root}/usr/local/bin/mailstore`);
  expect(snapshot()).toEqual(before);
});

// Making the user below another root needs root, as the whole command does.
if (process.getuid?.() === 0) {
  test('installing twice is installing once', async () => {
    await run(installCommand, '--root', root, '--binary', binary);
    const once = snapshot();
    const uid = readFileSync(join(root, 'etc/passwd'), 'utf8').split('\n').find((line) =>
      line.startsWith('mailstore:')
    )
      ?.split(':')[2];
    const mode = (path: string) => (lstatSync(join(root, path)).mode & 0o7777).toString(8);
    expect(mode('usr/local/bin/mailstore')).toBe('755');
    expect(mode('etc/mailstore/mailstore.toml')).toBe('640');
    expect(mode('var/lib/mailstore')).toBe('751');
    expect(mode('var/spool/mailstore')).toBe('700');
    expect(String(lstatSync(join(root, 'var/spool/mailstore')).uid)).toBe(uid as string);
    expect(readlinkSync(join(root, 'usr/local/bin/deliver'))).toBe('mailstore');

    expect(await run(installCommand, '--root', root, '--binary', binary)).toBe('everything is in place\n');
    expect(snapshot()).toEqual(once);
  });

  test('an update replaces the program and the unit, never the configuration', async () => {
    await run(installCommand, '--root', root, '--binary', binary);
    const config = join(root, 'etc/mailstore/mailstore.toml');
    writeFileSync(config, '# mine\n');
    chmodSync(config, 0o600);
    writeFileSync(binary, 'a newer executable');
    writeFileSync(join(root, 'etc/systemd/system/mailstore.service'), 'old unit');
    const text = await run(installCommand, '--root', root, '--binary', binary);
    expect(text.split('\n').filter((line) => line !== '').length).toBe(2);
    expect(readFileSync(join(root, 'usr/local/bin/mailstore'), 'utf8')).toBe('a newer executable');
    expect(readFileSync(config, 'utf8')).toBe('# mine\n');
    expect(lstatSync(config).mode & 0o777).toBe(0o600);
  });

  test('another prefix is in the unit too', async () => {
    await run(installCommand, '--root', root, '--binary', binary, '--prefix', '/opt/mail');
    const unit = readFileSync(join(root, 'etc/systemd/system/mailstore.service'), 'utf8');
    expect(unit).toContain('\nExecStart=/opt/mail/bin/mailstore serve\n');
    expect(unit).not.toContain('/usr/local');
  });

  test('uninstall leaves mail and configuration, and what is not ours', async () => {
    await run(installCommand, '--root', root, '--binary', binary);
    writeFileSync(join(root, 'var/spool/mailstore/message'), 'mail');
    rmSync(join(root, 'usr/local/bin/deliver'));
    symlinkSync('/usr/lib/dovecot/deliver', join(root, 'usr/local/bin/deliver'));
    const text = await run(uninstallCommand, '--root', root);
    expect(text).toContain(`stays: ${root}/var/spool/mailstore`);
    expect(readdirSync(join(root, 'usr/local/bin'))).toEqual(['deliver']);
    expect(readdirSync(join(root, 'etc/systemd/system'))).toEqual([]);
    expect(readFileSync(join(root, 'var/spool/mailstore/message'), 'utf8')).toBe('mail');
    const after = snapshot();
    expect(await run(uninstallCommand, '--root', root)).toContain('nothing of mailstore is installed');
    expect(snapshot()).toEqual(after);
  });
}

test('what cannot be done is named', async () => {
  const io: CommandIo = {
    stdin: new Blob([]).stream() as ReadableStream<Uint8Array>,
    stdout: () => {},
    stderr: () => {},
    env: {},
  };
  expect(() => installCommand.run(['--root', root], io)).toThrow(/name the executable .* by --binary/);
  expect(() => installCommand.run(['--root', root, '--binary', '/nonexistent'], io)).toThrow(
    'there is no /nonexistent',
  );
  expect(() => installCommand.run(['--prefix', 'relative', '--binary', binary], io)).toThrow(
    '--prefix is an absolute path',
  );
});

test('the steps for this machine tell systemd and make the user there', () => {
  const texts = installSteps({ root: '/', prefix: '/usr/local' }, binary).map(({ text }) => text);
  expect(texts).toContain('write /etc/systemd/system/mailstore.service');
  expect(texts).toContain('run systemctl daemon-reload');
});
