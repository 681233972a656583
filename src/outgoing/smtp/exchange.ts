/** One exchange with an MTA, from the connection to the outcome: all the code that takes. */

import { type Place, Wire } from '../../net/wire.ts';
import { runProgram } from './program.ts';

export { openSession } from './open.ts';
export { transact } from './transaction.ts';

/** Where an MTA is reached. */
export type MtaPlace = Place | {
  /** An executable that speaks SMTP on its standard input and output, with what it is called by. */
  readonly program: string;
  readonly args: readonly string[];
};

/** Connects, or starts the program. `patience` is milliseconds without a sign. */
export async function connect(place: MtaPlace, patience: number): Promise<Wire> {
  return 'program' in place
    ? new Wire(await runProgram(place.program, place.args), patience)
    : await Wire.connect(place, patience);
}
