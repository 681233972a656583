/** One command line: the verb and what follows it (RFC 5321 §4.1.1). */

export interface CommandLine {
  /** In upper case. */
  readonly verb: string;
  /** Without the space in front and without trailing white space; one character per byte. */
  readonly argument: string;
}

/** Printable ASCII and bytes above: whether an argument may hold 8-bit bytes is the command's to decide. */
const TEXT = /^[\x20-\x7e\x80-\xff]*$/;
const VERB = /^[A-Za-z][A-Za-z0-9-]{0,15}(?= |$)/;

/**
 * @param line one line without its CRLF, latin1
 * @returns null when it is no command at all: control characters, no verb
 */
export function parseCommand(line: string): CommandLine | null {
  if (!TEXT.test(line)) return null;
  const verb = VERB.exec(line);
  if (verb === null) return null;
  return { verb: verb[0].toUpperCase(), argument: line.slice(verb[0].length + 1).trim() };
}
