/** Tests that are made of tests (RFC 5228 §5.2, §5.3, §5.8), and those that know their answer: no instruction of their own. */
import type { Certainty, Compiler, Label, TestSpec } from '../../extension.ts';
import type { CallNode, TestNode } from '../../syntax.ts';

/** §5.2: every test must be true; those behind one that is not are not asked. */
export const allof: TestSpec = {
  name: 'allof',
  parameters: [],
  tests: 'list',
  branch: (call, compiler, yes, no) =>
    eachTest(call.node, compiler, 'missing', (test, next) => compiler.condition(test, next ?? yes, no)),
};

/** §5.3: one test must be true; those behind it are not asked. */
export const anyof: TestSpec = {
  name: 'anyof',
  parameters: [],
  tests: 'list',
  branch: (call, compiler, yes, no) =>
    eachTest(call.node, compiler, 'present', (test, next) => compiler.condition(test, yes, next ?? no)),
};

/**
 * Visits the tests of a list with the label behind each, which is null for the last. One certainty decides the list, and the tests
 * behind it are not looked at; the other holds if it holds for all.
 */
function eachTest(
  { tests }: CallNode,
  compiler: Compiler,
  decisive: Certainty,
  visit: (test: TestNode, next: Label | null) => Certainty,
): Certainty {
  const found = new Set<Certainty>();
  for (const [index, test] of tests.entries()) {
    const next = index === tests.length - 1 ? null : compiler.label();
    const certainty = visit(test, next);
    if (next !== null) compiler.place(next);
    if (certainty === decisive) return decisive;
    found.add(certainty);
  }
  const [only] = found;
  return found.size === 1 && only !== undefined ? only : 'unknown';
}

/** §5.8 */
export const not: TestSpec = {
  name: 'not',
  parameters: [],
  tests: 'one',
  branch(call, compiler, yes, no) {
    const [inner] = call.node.tests;
    if (inner === undefined) return 'unknown';
    const certainty = compiler.condition(inner, no, yes);
    return certainty === 'missing' ? 'present' : certainty === 'present' ? 'missing' : 'unknown';
  },
};

/** §5.10 */
export const trueTest: TestSpec = {
  name: 'true',
  parameters: [],
  branch(_, compiler, yes) {
    compiler.jump(yes);
    return 'unknown';
  },
};

/** §5.6 */
export const falseTest: TestSpec = {
  name: 'false',
  parameters: [],
  branch(_, compiler, __, no) {
    compiler.jump(no);
    return 'unknown';
  },
};
