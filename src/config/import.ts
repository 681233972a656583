/** `config import`: mailstore.toml from an imapd.conf and a cyrus.conf. */

import { basename } from 'node:path';
import { formatReport, type LineReport } from './imapdconf/translate.ts';
import type { Translated } from './load.ts';
import { optionRows } from './options.ts';
import { defaultValues } from './settings.ts';
import { writeToml } from './toml/write.ts';

/**
 * The TOML that does what the old files said, as far as it is there. Options with their default are left out; what
 * was not taken over stands in comments at the end, so that nothing of the old files is forgotten.
 */
export function importedToml(translated: Translated, files: readonly string[]): string {
  const { values, services, events, report } = translated;
  const defaults = defaultValues();
  const named = new Set(
    report.filter(({ outcome }) => outcome === 'translated').map(({ text }) => text.split(' ')[0]),
  );
  const rows = new Map(optionRows);
  const toml = writeToml(values, services, events, (name) => {
    const row = rows.get(name);
    if (row === undefined) return false;
    // The host name of this machine is not what the old file said.
    if (name === 'servername' && !named.has(row.toml)) return false;
    return row.kind.toToml(values[name]) !== row.kind.toToml(defaults[name]) || named.has(row.toml);
  });
  const left = report.filter(({ outcome }) => outcome !== 'translated' && outcome !== 'unneeded');
  const head = `# Written by "mailstore config import" from ${
    files.map((file) => basename(file)).join(' and ')
  }.\n`;
  if (left.length === 0) return `${head}\n${toml}`;
  const lines = left.map((line) => `#   ${oneLine(line)}`);
  return `${head}\n${toml}\n# Not taken over:\n${lines.join('\n')}\n`;
}

/** A report line without its folder, and with the value, for a comment. */
function oneLine(line: LineReport): string {
  const text = formatReport({
    ...line,
    file: basename(line.file),
    key: line.value === '' ? line.key : `${line.key}: ${line.value}`,
  });
  // deno-lint-ignore no-control-regex
  return text.replace(/[\x00-\x1f\x7f]+/g, ' ');
}
