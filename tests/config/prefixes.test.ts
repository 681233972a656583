import { expect, test } from 'bun:test';
import { checkTogether, type Places } from '../../src/config/check.ts';
import { makeSettings } from '../../src/config/settings.ts';

const places: Places = {
  option: (name) => ({ file: 'f', line: 1, key: name }),
  service: (name) => ({ file: 'f', line: 1, key: name }),
};

function problems(given: Parameters<typeof makeSettings>[0]): string[] {
  const settings = makeSettings({ ...given });
  return checkTogether(settings, [], places).problems.map((finding) => finding.key)
    .filter((key) => key.endsWith('prefix'));
}

test('the prefixes of altnamespace are one level each and different', () => {
  expect(problems({ altnamespace: true })).toEqual([]);
  expect(problems({ altnamespace: true, userprefix: 'Other/Users' })).toEqual(['userprefix']);
  expect(problems({ altnamespace: true, userprefix: 'Other.Users' })).toEqual([]);
  expect(problems({ altnamespace: true, unixhierarchysep: false, sharedprefix: 'a.b' })).toEqual([
    'sharedprefix',
  ]);
  expect(problems({ altnamespace: true, sharedprefix: 'inbox' })).toEqual(['sharedprefix']);
  expect(problems({ altnamespace: true, userprefix: 'x', sharedprefix: 'x' })).toEqual(['sharedprefix']);
  expect(problems({ altnamespace: false, userprefix: 'Other/Users' })).toEqual([]);
});
