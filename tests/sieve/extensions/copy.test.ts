/** RFC 3894 */

import { expect, test } from 'bun:test';
import { actions, findings, MESSAGE_A } from '../harness.ts';

test('fileinto and redirect with :copy leave the implicit keep', () => {
  expect(actions('require ["copy", "fileinto"]; fileinto :copy "incoming";', MESSAGE_A))
    .toEqual(['fileinto incoming', 'implicit keep']);
  expect(actions('require "copy"; redirect :copy "me@example.com";', MESSAGE_A))
    .toEqual(['redirect me@example.com', 'implicit keep']);
  expect(actions('require ["copy", "fileinto"]; fileinto :copy "a"; fileinto "b";', MESSAGE_A))
    .toEqual(['fileinto a', 'fileinto b']);
});

test(':copy needs its require and makes no sense for keep', () => {
  expect(findings('redirect :copy "a@b";')[0]).toContain('without require "copy"');
  expect(findings('require "copy"; keep :copy;')[0]).toContain(
    "unknown tagged argument ':copy' for the keep command",
  );
});
