import { expect, test } from 'bun:test';
import { configArguments, configFilesFrom, parseArgs, settingsFrom } from '../../src/cli/options.ts';
import { MailError } from '../../src/errors.ts';

const table = {
  ...configArguments,
  quiet: { short: 'q' },
  returnPath: { short: 'r', value: 'ADDRESS' },
  header: { value: 'LINE', many: true },
} as const;

function wrong(run: () => unknown): string {
  try {
    run();
  } catch (thrown) {
    if (thrown instanceof MailError && thrown.code === 'badsyntax') return thrown.message;
    throw thrown;
  }
  throw new Error('the command line was taken');
}

test('letters and long names, values behind or beside them, in any order', () => {
  const forms = [
    ['-q', '-r', 'a@b', 'user', '-c', '/m'],
    ['user', '-qra@b', '-c/m'],
    ['--quiet', '--return-path', 'a@b', '--config=/m', 'user'],
    ['--return-path=a@b', '-qc/m', '--', 'user'],
  ];
  for (const args of forms) {
    const { options, operands } = parseArgs(args, table);
    expect(operands).toEqual(['user']);
    expect([options.quiet, options.returnPath, options.config]).toEqual([true, 'a@b', '/m']);
  }
});

test('what is not given is false, undefined or empty', () => {
  const { options, operands } = parseArgs([], table);
  expect([options.quiet, options.returnPath, options.header]).toEqual([false, undefined, []]);
  expect(operands).toEqual([]);
});

test('a value may be empty, or begin with a dash', () => {
  expect(parseArgs(['-r', ''], table).options.returnPath).toBe('');
  expect(parseArgs(['--return-path='], table).options.returnPath).toBe('');
  expect(parseArgs(['-r', '-q'], table).options).toMatchObject({ returnPath: '-q', quiet: false });
});

test('a lone dash and all behind -- are operands', () => {
  expect(parseArgs(['-', '--', '-q', '--', 'x'], table).operands).toEqual(['-', '-q', '--', 'x']);
});

test('what may be repeated is collected', () => {
  expect(parseArgs(['--header', 'a', '--header=b'], table).options.header).toEqual(['a', 'b']);
});

test('what is wrong is named', () => {
  expect(wrong(() => parseArgs(['-x'], table))).toStartWith('there is no option -x;');
  expect(wrong(() => parseArgs(['-qx'], table))).toStartWith('there is no option -x;');
  expect(wrong(() => parseArgs(['--quite'], table))).toStartWith('there is no option --quite;');
  expect(wrong(() => parseArgs(['--quiet=1'], table))).toStartWith('--quiet takes no value;');
  expect(wrong(() => parseArgs(['-r'], table))).toStartWith('-r needs ADDRESS;');
  expect(wrong(() => parseArgs(['-ra', '-r', 'b'], table))).toStartWith('-r is given twice;');
  expect(wrong(() => parseArgs(['--constructor'], table))).toStartWith('there is no option --constructor;');
});

test('the files of a configuration', () => {
  const files = (...args: string[]) => configFilesFrom(parseArgs(args, table).options);
  expect(files()).toEqual({ toml: '/etc/mailstore/mailstore.toml' });
  expect(files('-c', '/m')).toEqual({ toml: '/m' });
  expect(files('-C', '/i')).toEqual({ imapdConf: '/i', cyrusConf: undefined });
  expect(files('-C', '/i', '-M', '/y')).toEqual({ imapdConf: '/i', cyrusConf: '/y' });
  expect(wrong(() => files('-c', '/m', '-C', '/i'))).toStartWith('-c and -C name two configurations');
  expect(wrong(() => files('-M', '/y'))).toStartWith('-M names a cyrus.conf;');
});

test('a configuration that is not there is named', () => {
  const { options } = parseArgs(['-c', '/nowhere/m.toml'], table);
  expect(() => settingsFrom(options)).toThrow('/nowhere/m.toml: there is no such file');
});
