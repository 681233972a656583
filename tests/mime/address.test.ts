import { expect, test } from 'bun:test';
import { type Address, parseAddressList } from '../../src/mime/address.ts';
import { unfold } from '../../src/mime/header.ts';
import { forSeeds, type Random } from './random.ts';

function address(
  name: string | null,
  mailbox: string | null,
  host: string | null,
  adl: string | null = null,
): Address {
  return { name, adl, mailbox, host };
}

const END = address(null, null, null);

test.each<[string, Address[]]>([
  ['', []],
  [' , ,', []],
  ['a@b', [address(null, 'a', 'b')]],
  ['A B <a@b>, c@d', [address('A B', 'a', 'b'), address(null, 'c', 'd')]],
  // RFC 5322 appendix A
  ['"Joe Q. Public" <john.q.public@example.com>', [address('Joe Q. Public', 'john.q.public', 'example.com')]],
  ['Mary Smith <mary@x.test>, jdoe@example.org, Who? <one@y.test>', [
    address('Mary Smith', 'mary', 'x.test'),
    address(null, 'jdoe', 'example.org'),
    address('Who?', 'one', 'y.test'),
  ]],
  ['<boss@nil.test>, "Giant; \\"Big\\" Box" <sysservices@example.net>', [
    address(null, 'boss', 'nil.test'),
    address('Giant; "Big" Box', 'sysservices', 'example.net'),
  ]],
  ['Pete(A nice \\) chap) <pete(his account)@silly.test(his host)>', [address('Pete', 'pete', 'silly.test')]],
  [
    "A Group(Some people)\r\n   :Chris Jones <c@(Chris's host.)public.example>,\r\n       joe@example.org,\r\n John <jdoe@one.test> (my dear friend); (the end of the group)",
    [
      address(null, 'A Group', null),
      address('Chris Jones', 'c', 'public.example'),
      address(null, 'joe', 'example.org'),
      address('John', 'jdoe', 'one.test'),
      END,
    ],
  ],
  ['(Empty list)(start)Hidden recipients  :(nobody(that I know))  ;', [
    address(null, 'Hidden recipients', null),
    END,
  ]],
  ['Joe Q. Public <john.q.public@example.com>', [address('Joe Q. Public', 'john.q.public', 'example.com')]],
  ['Mary Smith <@node.test:mary@example.net>, , jdoe@test  . example', [
    address('Mary Smith', 'mary', 'example.net', '@node.test'),
    address(null, 'jdoe', 'test.example'),
  ]],
  ['<@a.b,@c.d:e@f>', [address(null, 'e', 'f', '@a.b,@c.d')]],
  ['John Doe <jdoe@machine(comment).  example>', [address('John Doe', 'jdoe', 'machine.example')]],
  // what mail has beyond that
  ['old@x.test (Full Name)', [address('Full Name', 'old', 'x.test')]],
  ['"a b"@x', [address(null, 'a b', 'x')]],
  ['""@x', [address(null, '', 'x')]],
  ['john . doe@x', [address(null, 'john.doe', 'x')]],
  ['a@[192.0.2.1]', [address(null, 'a', '[192.0.2.1]')]],
  ['undisclosed', [address(null, 'undisclosed', 'MISSING_DOMAIN')]],
  ['Two Words', [address('Two Words', 'MISSING_MAILBOX', 'MISSING_DOMAIN')]],
  ['<>', [address(null, 'MISSING_MAILBOX', 'MISSING_DOMAIN')]],
  ['a@b; c@d', [address(null, 'a', 'b'), address(null, 'c', 'd')]],
  ['X <a@b, Y <c@d>', [address('X', 'a', 'b'), address('Y', 'c', 'd')]],
  ['"unclosed <a@b>, c@d', [address(null, 'unclosed <a@b>, c@d', 'MISSING_DOMAIN')]],
  ['(unclosed a@b', []],
  ['g: a@b', [address(null, 'g', null), address(null, 'a', 'b'), END]],
  ['g: h: a@b;', [address(null, 'g', null), address('h', 'a', 'b'), END]],
  ['a@b (comment\\', [address('comment\\', 'a', 'b')]],
  ['a\\', [address(null, 'a', 'MISSING_DOMAIN')]],
  ['@', [address(null, 'MISSING_MAILBOX', 'MISSING_DOMAIN')]],
])('%s', (value, expected) => {
  expect(parseAddressList(unfold(value))).toEqual(
    expected,
  );
});

test('at most so many addresses; a group is ended all the same', () => {
  expect(parseAddressList('a@b,c@d,e@f', 2)).toEqual([address(null, 'a', 'b'), address(null, 'c', 'd')]);
  expect(parseAddressList('g:a@b,c@d;', 2).at(-1)).toEqual(END);
});

test('generated lists are read as they were meant', () => {
  forSeeds(3000, (random) => {
    const expected: Address[] = [];
    const text: string[] = [];
    for (let n = random.below(6); n > 0; n--) {
      if (random.once(5)) {
        const name = random.pick(['group', 'my friends']);
        const members = Array.from({ length: random.below(3) }, () => makeAddress(random));
        expected.push(address(null, name, null), ...members.map(([one]) => one), END);
        text.push(`${name}${blank(random)}:${members.map(([, written]) => written).join(',')};`);
      } else {
        const [one, written] = makeAddress(random);
        expected.push(one);
        text.push(written);
      }
    }
    expect(parseAddressList(text.join(random.pick([',', ', ', ' ,,'])))).toEqual(expected);
  });
});

test('noise is read without end or exception', () => {
  forSeeds(5000, (random) => {
    const text = random.text('ab ."\\<>()@,:;[]\x00\xff\t', 40);
    for (const { name, mailbox, host } of parseAddressList(text)) {
      // Only the marks of a group lack a host, only its end lacks a mailbox.
      if (host === null) expect(name).toBeNull();
      else expect(mailbox).not.toBeNull();
    }
  });
});

function blank(random: Random): string {
  return random.pick(['', '', ' ', '  ', '(c)', ' (a (b) \\) c) ']);
}

/** An address and one of the ways to write it. Comments only where a name stands, as they would be taken for it. */
function makeAddress(random: Random): [Address, string] {
  const words = random.pick([null, 'Name', 'First Last', 'a "q" \\ b, c', 'x@y <z>', '=?utf-8?q?x?=']);
  const mailbox = random.pick(['local', 'a.b.c', 'with space', 'q"q', 'a+b', '']);
  const host = random.pick(['example.org', 'x', '[192.0.2.1]']);
  const adl = random.once(6) ? '@r.example,@s.example' : null;
  const local = /^[a-z.+]+$/.test(mailbox) ? mailbox : quote(mailbox);
  if (words === null && adl === null && random.once(2)) {
    return [
      address(null, mailbox, host),
      `${local}${random.pick(['', ' '])}@${random.pick(['', ' '])}${host}`,
    ];
  }
  const space = words === null ? '' : blank(random);
  const name = words === null ? '' : /^[A-Za-z ]+$/.test(words) ? words : quote(words);
  const route = adl === null ? '' : adl + ':';
  return [
    address(words, mailbox, host, adl),
    `${name} ${space}<${space}${route}${local}@${space}${host}${space}>${space}`,
  ];
}

function quote(text: string): string {
  return `"${text.replace(/["\\]/g, '\\$&')}"`;
}
