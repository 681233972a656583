/** `mailstore sieve import`: takes over the scripts of a Cyrus server. */

import { canonicalUser } from '../../auth/canonical.ts';
import type { Settings } from '../../config/settings.ts';
import { allowedCapabilities, sieveSettings } from '../../delivery/language.ts';
import { asMailError, MailError } from '../../errors.ts';
import { limits } from '../../limits.ts';
import { homeOf } from '../../net/libc.ts';
import { formatDiagnostic } from '../../sieve/diagnostic.ts';
import { compile } from '../../sieve/extensions.ts';
import type { Scripts } from '../../store/border.ts';
import { checkScriptName } from '../../store/scriptname.ts';
import { administer, type Administration, type Surroundings, useridFrom } from '../administration.ts';
import type { Command } from '../command.ts';
import { configArguments, configUsage, parseArgs, settingsFrom, usageError } from '../options.ts';
import { EX_DATAERR, EX_OK } from '../sysexits.ts';
import { printable } from '../table.ts';
import {
  type FoundScript,
  type FoundScripts,
  readHomeScript,
  readSieveFolder,
  readUserFolder,
} from './cyrusfolder.ts';

const usage = `Usage: mailstore sieve import [--replace] [--dry-run] FOLDER
       mailstore sieve import [--replace] [--dry-run] --user USER FOLDER
       mailstore sieve import [--replace] [--dry-run] --home [USER]...

Takes over Sieve scripts from a Cyrus server. FOLDER is its sievedir, /var/lib/imap/sieve for instance: the scripts of all
users, which of them is active, and the global ones. With --user it is the folder of one user, or any folder with files
NAME.script or NAME.sieve. With --home they are the files .sieve in the homes of users of this system (sieveusehomedir); of
all who have mail, unless some are named.

A script that is there already stays, and so does what is active there, unless --replace is given. One that is wrong here is
taken over, told of, and not made active.

${configUsage}  -u, --user USER         whose scripts these are
      --home              look into the homes of users
      --replace           also scripts that are there
  -n, --dry-run           say what would be done
  -h, --help              this text

Exit codes: 0 done, 64 wrong command line, 65 something was not taken over, 75 the store cannot be reached, 78 wrong
configuration.
`;

const importArguments = {
  config: configArguments.config,
  imapdConf: configArguments.imapdConf,
  cyrusConf: configArguments.cyrusConf,
  help: configArguments.help,
  user: { short: 'u', value: 'USER' },
  home: {},
  replace: {},
  dryRun: { short: 'n' },
} as const;

/** The command over this store. */
export function importCommand(surroundings: Surroundings): Command {
  return {
    name: 'sieve import',
    summary: 'take over the Sieve scripts of a Cyrus server',
    usage,
    async run(args, io) {
      const { options, operands } = parseArgs(args, importArguments);
      if (options.help) {
        io.stdout(usage);
        return EX_OK;
      }
      if (options.home && options.user !== undefined) {
        throw usageError('--home names its users without --user');
      }
      if (!options.home && operands.length !== 1) throw usageError('sieve import needs one FOLDER');
      // Read as who calls: the store is opened as its user, who need not see these files.
      const { settings } = settingsFrom(options);
      const folders = options.home
        ? null
        : options.user === undefined
        ? readSieveFolder(operands[0] ?? '')
        : [readUserFolder(operands[0] ?? '', options.user, '')];
      const homes = options.home ? operands.map((user) => homeScripts(user, settings)) : [];
      return await administer(options, io, surroundings, async (administration) => {
        const everybody = options.home && operands.length === 0;
        const found = folders ??
          (everybody
            ? administration.store.admin.owners().map(({ userid }) => homeScripts(userid, settings))
            : homes)
            .filter((one) => one !== null);
        const importer = new Importer(administration, options.replace, options.dryRun);
        for (const one of found) await importer.take(one, options.user);
        return importer.finish();
      });
    },
  };
}

/** Users of this system have no domain. */
function homeScripts(user: string, settings: Settings): FoundScripts | null {
  const local = settings.virtdomains === 'off' ? user : user.replace(/@.*$/s, '');
  const home = homeOf(local);
  return home === undefined ? null : readHomeScript(home, user);
}

class Importer {
  readonly #administration: Administration;
  readonly #replace: boolean;
  readonly #dry: boolean;
  readonly #allowed: ReadonlySet<string>;
  readonly #language: ReturnType<typeof sieveSettings>;
  #taken = 0;
  #failed = 0;

  constructor(administration: Administration, replace: boolean, dry: boolean) {
    this.#administration = administration;
    this.#replace = replace;
    this.#dry = dry;
    this.#allowed = new Set(allowedCapabilities(administration.settings));
    this.#language = sieveSettings(administration.settings);
  }

  /** @param named the user as the administrator named it; the folder's name otherwise */
  async take(found: FoundScripts, named: string | undefined): Promise<void> {
    const { session, settings } = this.#administration;
    const shown = found.user === ''
      ? `global${found.domain === '' ? '' : ` of ${found.domain}`}`
      : `${found.user.replaceAll('^', '.')}${found.domain === '' ? '' : `@${found.domain}`}`;
    let scripts: Scripts;
    try {
      scripts = session.scriptsOf(ownerOf(found, named, settings));
    } catch (thrown) {
      return this.#refuse(shown, thrown);
    }
    const there = scripts.list();
    let active: string | null = null;
    for (const script of found.scripts) {
      const where = `${shown}: ${script.name}`;
      try {
        if (await this.#put(scripts, script, where) && script.name === found.active) active = script.name;
      } catch (thrown) {
        this.#refuse(where, thrown);
      }
    }
    if (found.active !== null && !found.scripts.some(({ name }) => name === found.active)) {
      this.#refuse(
        `${shown}: ${found.active}`,
        new MailError('user', 'nonexistent', 'it is active, and not there'),
      );
    }
    const before = there.find((one) => one.active)?.name;
    if (active === null || found.user === '' || before === active) return;
    if (before !== undefined && !this.#replace) {
      return this.#tell(`${shown}: ${before} stays active; --replace makes it ${active}`);
    }
    if (!this.#dry) await scripts.setActive(active);
    this.#tell(`${shown}: ${active} is active`);
  }

  /** Whether the script is in the store now and can run. */
  async #put(scripts: Scripts, { name, content }: FoundScript, where: string): Promise<boolean> {
    if (content instanceof MailError) throw content;
    const { diagnostics } = compile(content.toString('latin1'), {
      allowed: this.#allowed,
      settings: this.#language,
      maxSize: limits.store_script_size.value,
    });
    const wrong = diagnostics.find(({ severity }) => severity === 'error');
    const old = scripts.get(checkScriptName(name.normalize('NFC')));
    if (old !== null && !content.equals(old) && !this.#replace) {
      throw new MailError(
        'user',
        'alreadyexists',
        'there is another script of this name; --replace takes this one',
      );
    }
    if (old === null || !content.equals(old)) {
      if (!this.#dry) await scripts.put(name, content, { maxScripts: limits.store_scripts.value });
      this.#taken++;
      this.#tell(`${where}: ${content.length} bytes`);
    }
    if (wrong === undefined) return true;
    this.#failed++;
    this.#administration.io.stderr(`${printable(`${where}: ${formatDiagnostic(wrong)}`)}\n`);
    return false;
  }

  #tell(text: string): void {
    this.#administration.io.stdout(`${printable(text)}\n`);
  }

  #refuse(where: string, thrown: unknown): void {
    const error = asMailError(thrown);
    if (error.kind === 'server') throw error;
    this.#failed++;
    this.#administration.io.stderr(`${printable(`${where}: not taken over: ${error.message}`)}\n`);
  }

  finish(): number {
    const scripts = this.#taken === 1 ? 'script' : 'scripts';
    this.#tell(`${this.#taken} ${scripts} ${this.#dry ? 'would be taken over' : 'taken over'}.`);
    return this.#failed === 0 ? EX_OK : EX_DATAERR;
  }
}

/** The userid a folder stands for; '' is where global scripts are. */
function ownerOf({ user, domain }: FoundScripts, named: string | undefined, settings: Settings): string {
  if (named !== undefined) return useridFrom(named, settings);
  const home = domain.toLowerCase() === settings.defaultdomain.toLowerCase();
  if (user === '') return domain === '' || home ? '' : `@${domain.toLowerCase()}`;
  const name = user.replaceAll('^', '.');
  return domain === ''
    ? useridFrom(name, settings)
    : canonicalUser(`${name}@${domain}`, settings, { interfaceDomain: '' });
}
