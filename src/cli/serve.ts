/**
 * `mailstore serve`: the server, or one of its roles where the supervisor asks for it (`serve --role=ROLE`). Each process loads what
 * it is made of and nothing else: a start is mostly that, twice.
 */

import { syntaxError } from '../errors.ts';
import { ROLES } from '../server/control.ts';

/** Runs the server or a role; resolves to the exit code. */
export async function run(args: readonly string[]): Promise<number> {
  const named = args.length === 1 ? /^--role=(.*)$/.exec(args[0] as string)?.[1] : undefined;
  if (named === undefined) return await (await import('./serve/foreground.ts')).runServer(args);
  if (named === 'checker') return await (await import('../auth/checker/process.ts')).runChecker();
  const role = ROLES.find((name) => name === named);
  if (role === undefined) throw syntaxError(`--role is one of ${ROLES.join(', ')}`);
  const body = import('../server/roles/bodies.ts').then(({ roleBody }) => roleBody(role));
  return await (await import('../server/roles/role.ts')).runRole(body);
}
