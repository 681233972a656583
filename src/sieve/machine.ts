/** Runs programs. Everything is done at once unless a step waits for an external program, or it takes long. */
import { MatchError } from './match/matcher.ts';
import {
  DO,
  END,
  type Instruction,
  JUMP,
  type Outcome,
  type Program,
  Run,
  type RunInput,
  ScriptError,
  TEST,
} from './run.ts';

/** Runs a program over a message. An error of the script is in the outcome; what is thrown is a fault of ours. */
export function run(program: Program, input: RunInput): Outcome | Promise<Outcome> {
  return proceed(new Run(program, input));
}

/** Goes on with a run until it has ended or waits. */
function proceed(run: Run): Outcome | Promise<Outcome> {
  try {
    while (!run.ended) {
      if (run.host.pause !== undefined && run.pauseDue()) return resume(run, run.host.pause());
      const frame = run.frame;
      const instruction = frame.program.code[frame.pc] as Instruction;
      run.at = instruction;
      run.spend(1);
      switch (instruction.op) {
        case TEST: {
          const outcome = (instruction.test as Instruction['test'] & object).evaluate(run);
          if (typeof outcome !== 'boolean') {
            return resume(
              run,
              outcome.then((value) => decide(run, instruction, value)),
            );
          }
          decide(run, instruction, outcome);
          break;
        }
        case DO: {
          frame.pc = instruction.yes;
          const waiting = (instruction.command as Instruction['command'] & object).execute(run);
          if (waiting !== undefined) return resume(run, waiting);
          break;
        }
        case JUMP:
          frame.pc = instruction.yes;
          break;
        case END:
          run.leave();
          break;
      }
    }
    run.result.content = run.content();
    return { result: run.result, error: null };
  } catch (thrown) {
    return failed(run, thrown);
  }
}

function decide(run: Run, instruction: Instruction, outcome: boolean): void {
  run.frame.pc = outcome ? instruction.yes : instruction.no;
  if (run.trace !== null) run.note(`${instruction.name}: ${outcome}`);
}

async function resume(run: Run, waiting: Promise<void>): Promise<Outcome> {
  try {
    await waiting;
  } catch (thrown) {
    return failed(run, thrown);
  }
  return proceed(run);
}

function failed(run: Run, thrown: unknown): Outcome {
  if (!(thrown instanceof ScriptError) && !(thrown instanceof MatchError)) throw thrown;
  const { line, column } = run.at?.position ?? { line: 1, column: 1 };
  const script = run.frame.program.name;
  if (run.trace !== null) run.note(`error: ${thrown.message}`);
  return { result: run.result, error: { severity: 'error', script, line, column, text: thrown.message } };
}
