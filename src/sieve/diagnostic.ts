/** What is wrong with a script, and where. */

/** A place in a script: both count from 1; a column is a character, whatever its number of octets. */
export interface Position {
  readonly line: number;
  readonly column: number;
}

/** One finding. `text` says what was found and what was expected, without the place. */
export interface Diagnostic extends Position {
  readonly severity: 'error' | 'warning';
  readonly text: string;
  /** Name of the included script it is in, where it is not the one that was compiled (RFC 6609). */
  readonly script?: string;
}

/** `line 3, column 7: error: …`, as tools and ManageSieve show it. */
export function formatDiagnostic({ severity, line, column, text, script }: Diagnostic): string {
  const where = script === undefined ? '' : `script ${JSON.stringify(script)}, `;
  return `${where}line ${line}, column ${column}: ${severity}: ${text}`;
}

/** `"a" or "b"` */
export function alternatives(names: readonly string[]): string {
  return names.map((name) => `"${name}"`).join(' or ');
}
