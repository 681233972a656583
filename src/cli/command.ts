/** What every command of the executable is, and what it talks to. */

/** The streams and surroundings of a command; tests hand in their own. */
export interface CommandIo {
  readonly stdin: ReadableStream<Uint8Array>;
  /** Text, or bytes as they are. */
  stdout(text: string | Uint8Array): void;
  stderr(text: string): void;
  readonly env: Readonly<Record<string, string | undefined>>;
}

export interface Command {
  readonly name: string;
  /** One line for the list of commands. */
  readonly summary: string;
  /** The text of --help. */
  readonly usage: string;
  /** Runs with the arguments behind the command's name; resolves to an exit code of sysexits(3). */
  run(args: readonly string[], io: CommandIo): Promise<number>;
}

/** The streams and the environment of this process. */
export function processIo(): CommandIo {
  return {
    get stdin() {
      return Bun.stdin.stream();
    },
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    env: process.env,
  };
}
