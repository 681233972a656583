/** `test_set`, `test_message`, `test_message_print`. */

import type { Call, CallSpec, CommandSpec, TestSpec } from '../../../sieve/extension.ts';
import { fromOctets, lowerAscii, octetBytes } from '../../../sieve/octets.ts';
import type { Run } from '../../../sieve/run.ts';
import { BLOCK, fail } from './fail.ts';
import type { World } from './world.ts';

/** What may stand between angle brackets; '' for the null path. */
function addressIn(world: World, text: string): string {
  const path = PATH.exec(text.trim());
  const inner = path?.[1] ?? path?.[2];
  if (inner !== undefined && (inner === '' || MAILBOX.test(inner) || LOCALPART.test(inner))) return inner;
  world.error(`"${fromOctets(text)}" is no address`);
  // As it is: no test takes it for one.
  return text;
}

/** Something between angle brackets, behind a source route that means nothing (RFC 5321 §4.1.2), or something without them. */
const PATH = /^(?:<(?:@[\w-]+(?:\.[\w-]+)*(?:,@[\w-]+(?:\.[\w-]+)*)*:)?([^<>]*)>|([^<>]*))$/;
const MAILBOX =
  /^(?:"(?:[^"\\]|\\.)*"|[^\s@<>()",:;\\[\]]+)@(?:[^\s@<>()",:;\\[\].]+(?:\.[^\s@<>()",:;\\[\].]+)*|\[[^\]]+\])$/;
const LOCALPART = /^[^\s@<>()",:;\\[\]]+$/;

const OBJECTS: Readonly<Record<string, (world: World, run: Run, value: string) => void>> = {
  'message': (world, run, value) => world.setMessage(run, octetBytes(value)),
  'envelope.from': (world, run, value) => world.setEnvelope(run, { from: addressIn(world, value) }),
  'envelope.to': (world, run, value) => world.setEnvelope(run, { to: addressIn(world, value) }),
  'envelope.orig_to': (world, run, value) => world.setEnvelope(run, { originalTo: addressIn(world, value) }),
  'envelope.auth': (world, run, value) => world.setEnvelope(run, { auth: value }),
};

function testSet(world: World): CommandSpec {
  return {
    name: 'test_set',
    parameters: [
      {
        name: 'object',
        type: 'string',
        constant: true,
        check: (name) =>
          Object.hasOwn(OBJECTS, lowerAscii(name))
            ? null
            : `there is no test object "${name}": expected one of ${Object.keys(OBJECTS).join(', ')}`,
      },
      { name: 'value', type: 'string' },
    ],
    emit(call, compiler) {
      const set = OBJECTS[lowerAscii(call.constant('object'))];
      const value = call.text('value');
      compiler.command(call.node, { execute: (run) => set?.(world, run, value.value(run)) });
    },
  };
}

const MESSAGE: Pick<CallSpec, 'name' | 'tags' | 'parameters'> = {
  name: 'test_message',
  tags: [
    { name: 'smtp', group: 'place' },
    { name: 'folder', group: 'place', parameter: { name: 'folder', type: 'string' } },
  ],
  parameters: [{ name: 'number', type: 'number' }],
};

/** Makes a message current; false if there is none. Null after an error was reported. */
function selection(world: World, call: Call): ((run: Run) => boolean) | null {
  const number = call.number('number');
  if (call.has('smtp')) return (run) => world.openSent(run, number);
  if (!call.has('folder')) return null;
  const folder = call.text('folder');
  return (run) => world.openStored(run, fromOctets(folder.value(run)), number);
}

const MISSING = 'test_message expects :smtp or :folder, but neither is specified';

export function messageTest(world: World): TestSpec {
  return {
    ...MESSAGE,
    compile(call, compiler) {
      const select = selection(world, call);
      if (select === null) compiler.error(call.node.position, MISSING);
      return select === null ? null : { evaluate: select };
    },
  };
}

export function messageCommands(world: World): CommandSpec[] {
  return [
    testSet(world),
    {
      ...MESSAGE,
      emit(call, compiler) {
        const select = selection(world, call);
        if (select === null) return compiler.error(call.node.position, MISSING);
        const { end } = compiler.state(BLOCK);
        compiler.command(call.node, {
          execute(run) {
            if (!select(run)) {
              fail(world, run, end, `there is no message ${call.number('number')} where it was looked for`);
            }
          },
        });
      },
    },
    {
      name: 'test_message_print',
      parameters: [],
      emit: (call, compiler) =>
        compiler.command(call.node, {
          execute: () => world.log(Buffer.from(world.message.bytes()).toString()),
        }),
    },
  ];
}
