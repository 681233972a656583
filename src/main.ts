/** The one executable: finds out which command was meant and runs it. */

import { runMain } from './cli/dispatch.ts';

await runMain(process.argv0, process.argv.slice(2));
