import { limits } from '../limits.ts';
import { MailError } from '../errors.ts';

/** Something to say about a place in a configuration file. */
export interface Finding {
  readonly file: string;
  /** Counted from 1; 0 where the whole file is meant. */
  readonly line: number;
  /** The key as the file spells it, or empty. */
  readonly key: string;
  readonly text: string;
}

/** A finding as one line, `FILE:LINE: KEY: TEXT`, whatever the file has in its keys and values. */
export function formatFinding(finding: Finding): string {
  const place = finding.line > 0 ? `${finding.file}:${finding.line}` : finding.file;
  const line = finding.key === '' ? `${place}: ${finding.text}` : `${place}: ${finding.key}: ${finding.text}`;
  // Nothing in a file may write to the terminal or begin a line of the log.
  return line.replace(/[\x00-\x1f\x7f-\x9f\u2028-\u202e\u2066-\u2069]/g, (char) => {
    return `\\u${char.charCodeAt(0).toString(16).padStart(4, '0')}`;
  });
}

/** The configuration is wrong. The message names every problem, one line each. */
export class ConfigError extends MailError {
  readonly findings: readonly Finding[];

  constructor(findings: readonly Finding[]) {
    const shown = findings.slice(0, limits.config_findings.value).map(formatFinding);
    const more = findings.length - shown.length;
    if (more > 0) shown.push(`and ${more} more problems`);
    super('user', 'config', shown.join('\n'));
    this.name = 'ConfigError';
    this.findings = findings;
  }
}
