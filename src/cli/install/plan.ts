/** What `install` puts where, as lists of steps. */

import { readFileSync, statSync } from 'node:fs';
import { join } from 'node:path';
import { lookupUser } from '../../net/libc.ts';
import { sampleConfig, serviceUnit, sysusers, tmpfiles } from './assets.ts';
import {
  type Account,
  command,
  executable,
  file,
  fileOnce,
  folder,
  link,
  remove,
  type Step,
} from './steps.ts';

/** Where to install to. */
export interface Place {
  /** Where the file system to install into begins; '/' for this machine. */
  readonly root: string;
  /** Where bin/ is. */
  readonly prefix: string;
}

/** Commands that others call by their own name. */
const LINKS = [
  'deliver',
  'pluginviewer',
  'imtest',
  'pop3test',
  'lmtptest',
  'smtptest',
  'sivtest',
  'sieveshell',
  'installsieve',
  'notifytest',
] as const;

const USER = 'mailstore';

/** The account as the root knows it: of another root only its file can be asked. */
function accountIn(root: string): Account | undefined {
  if (root === '/') return lookupUser(USER);
  let text: string;
  try {
    text = readFileSync(join(root, 'etc/passwd'), 'utf8');
  } catch {
    return undefined;
  }
  const fields = text.split('\n').map((line) => line.split(':')).find(([name]) => name === USER);
  return fields === undefined ? undefined : { uid: Number(fields[2]), gid: Number(fields[3]) };
}

function exists(path: string): boolean {
  return statSync(path, { throwIfNoEntry: false }) !== undefined;
}

/** Whether systemd runs this very machine (sd_booted(3)). */
function systemdRuns(root: string): boolean {
  return root === '/' && exists('/run/systemd/system');
}

/** Our files of both directions. */
function paths({ root, prefix }: Place) {
  const at = (path: string) => join(root, path);
  return {
    binary: at(join(prefix, 'bin/mailstore')),
    links: LINKS.map((name) => at(join(prefix, 'bin', name))),
    unit: at('etc/systemd/system/mailstore.service'),
    sysusers: at('etc/sysusers.d/mailstore.conf'),
    tmpfiles: at('etc/tmpfiles.d/mailstore.conf'),
    config: at('etc/mailstore/mailstore.toml'),
    state: at('var/lib/mailstore'),
    spool: at('var/spool/mailstore'),
  };
}

/** How the user is made: by systemd where it is installed, else by the tools every Linux has. */
function makeUser(root: string, sysusersFile: string): Step {
  const missing = () => accountIn(root) === undefined;
  if (Bun.which('systemd-sysusers') !== null) {
    return command(
      root === '/' ? ['systemd-sysusers', sysusersFile] : ['systemd-sysusers', `--root=${root}`],
      missing,
    );
  }
  const shell = '/usr/sbin/nologin';
  return command(
    Bun.which('useradd') === null
      // BusyBox (Alpine)
      ? ['adduser', '-S', '-D', '-H', '-h', '/var/lib/mailstore', '-s', '/sbin/nologin', USER]
      // deno-fmt-ignore
      : ['useradd', '--system', '--user-group', '--home-dir', '/var/lib/mailstore', '--no-create-home',
        '--shell', shell, ...(root === '/' ? [] : ['--root', root]), USER],
    missing,
  );
}

/** Everything `install` does, in order. `source` is the executable to copy. */
export function installSteps(place: Place, source: string): Step[] {
  const { root, prefix } = place;
  const to = paths(place);
  const unit = serviceUnit(join('/', prefix, 'bin/mailstore'));
  // Decided when the step is reached: systemd is told of a changed unit only.
  const unitStep = file(to.unit, unit, 0o644);
  let unitChanged = false;
  const account = () => accountIn(root);
  return [
    executable(to.binary, source),
    ...to.links.map((path) => link(path, 'mailstore')),
    file(to.sysusers, sysusers, 0o644),
    makeUser(root, to.sysusers),
    file(to.tmpfiles, tmpfiles, 0o644),
    folder(to.state, 0o751, account),
    folder(to.spool, 0o700, account),
    fileOnce(to.config, sampleConfig, 0o640, account),
    { ...unitStep, apply: () => (unitStep.apply(), unitChanged = true, undefined) },
    command(['systemctl', 'daemon-reload'], () => systemdRuns(root) && (unitChanged || unitStep.needed())),
  ];
}

/** Everything `uninstall` does: mail, configuration and user stay. */
export function uninstallSteps(place: Place): Step[] {
  const { root } = place;
  const to = paths(place);
  const enabled = () => systemdRuns(root) && exists(to.unit);
  let removed = false;
  const unit = remove(to.unit);
  return [
    command(['systemctl', 'disable', '--now', 'mailstore.service'], enabled),
    { ...unit, apply: () => (unit.apply(), removed = true, undefined) },
    command(['systemctl', 'daemon-reload'], () => systemdRuns(root) && (removed || unit.needed())),
    remove(to.tmpfiles),
    remove(to.sysusers),
    ...to.links.map((path) => remove(path, 'mailstore')),
    remove(to.binary),
  ];
}

/** Whether there is a configuration, so that an installation is an update. */
export function configured(place: Place): boolean {
  return exists(paths(place).config);
}

/** What `uninstall` leaves, of what there is. */
export function left(place: Place): string[] {
  const to = paths(place);
  return [to.config, to.state, to.spool].filter(exists);
}
