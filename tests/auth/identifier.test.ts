import { expect, test } from 'bun:test';
import { canonicalIdentifier } from '../../src/auth/canonical.ts';
import { makeSettings } from '../../src/config/settings.ts';
import { MailError } from '../../src/errors.ts';

function identifier(text: string, domain = '', given: Parameters<typeof makeSettings>[0] = {}): string {
  return canonicalIdentifier(text, domain, makeSettings({ admins: ['cyrus'], ...given }));
}

test('everybody, nobody and groups', () => {
  expect(identifier('Anyone')).toBe('anyone');
  expect(identifier('anybody')).toBe('anyone');
  expect(identifier('-ANYONE')).toBe('-anyone');
  expect(identifier('anonymous', 'd.org', { virtdomains: 'on' })).toBe('anonymous');
  expect(identifier('Group:Staff Meeting', 'd.org', { virtdomains: 'on' })).toBe('group:Staff Meeting');
  expect(identifier('-group:u\u0308')).toBe('-group:\u00fc');
});

test('users are completed by the domain of the mailbox', () => {
  for (const virtdomains of ['on', 'userid'] as const) {
    expect(identifier('Eve', 'd.org', { virtdomains })).toBe('eve@d.org');
    expect(identifier('-eve', 'd.org', { virtdomains })).toBe('-eve@d.org');
    expect(identifier('eve@E.net', 'd.org', { virtdomains })).toBe('eve@e.net');
    expect(identifier('eve', '', { virtdomains })).toBe('eve');
    expect(identifier('cyrus', 'd.org', { virtdomains })).toBe('cyrus');
    expect(identifier('eve@home.org', 'd.org', { virtdomains, defaultdomain: 'home.org' })).toBe('eve');
  }
  expect(identifier('Eve@x')).toBe('eve@x');
});

test('what is no identifier is bad syntax (RFC 4314 §3)', () => {
  for (
    const bad of [
      '',
      '-',
      '--eve',
      'group:',
      '-group:',
      'group:a\nb',
      'a/b',
      'a\u0000',
      '\ud800',
      'group:\ud800',
    ]
  ) {
    try {
      expect(`${bad} is ${identifier(bad)}`).toBe('refused');
    } catch (thrown) {
      if (!(thrown instanceof MailError)) throw thrown;
      expect(thrown.code).toBe('badsyntax');
    }
  }
});
