/**
 * `mailstore imtest` and the names lmtptest, pop3test, sivtest and smtptest: logs in to a server as Cyrus's tools of
 * these names do, so that an administrator sees what happens.
 */

import { type Command, processIo } from './command.ts';
import { readPlan, usageOf } from './imtest/arguments.ts';
import { type ProgramName, PROGRAMS } from './imtest/programs.ts';
import { runPlan } from './imtest/session.ts';
import { bareOutput, DETACHED, inBackground } from './imtest/socket.ts';
import { EX_OK } from './sysexits.ts';
import { openTerminal, type Terminal } from './terminal.ts';

/** The command of one of the names. */
export function testClient(name: ProgramName, terminal: () => Terminal | null): Command {
  const usage = usageOf(name);
  return {
    name,
    summary: `log in to a server by ${PROGRAMS[name].protocol} and show the dialogue`,
    usage,
    async run(args, io) {
      const plan = readPlan(name, args);
      if (plan === null) {
        io.stdout(usage);
        return EX_OK;
      }
      if (plan.socket?.background === true && io.env[DETACHED] === undefined) {
        return await inBackground(name, args, io.env);
      }
      return await runPlan(plan, io.env[DETACHED] === undefined ? io : bareOutput(io), terminal());
    },
  };
}

/** The command with the streams and the terminal of this process. */
export function moduleOf(name: ProgramName): { run(args: readonly string[]): Promise<number> } {
  return { run: (args) => testClient(name, openTerminal).run(args, processIo()) };
}
