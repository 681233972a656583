/**
 * Scripts that compute or hold without end (rows 53 to 55, and what they cost everybody else): the budget is of work and not of
 * commands. There is no clock here: without it none of these would end while anybody waits.
 */

import { expect, test } from 'bun:test';
import { limits } from '../../src/limits.ts';
import { run } from '../../src/sieve/machine.ts';
import { Mail } from '../../src/sieve/mail/mail.ts';
import { ENVELOPE, HOST, outcome, program } from '../sieve/harness.ts';

const BODY = limits.sieve_body.value;
const STEPS = 'the script takes more than 1000000 steps';

/** A message with so much text. */
function message(size: number, text = 'a', fields = ''): Uint8Array {
  const body = Buffer.alloc(size, text, 'utf8');
  return Buffer.concat([Buffer.from(`${fields}From: anna@example.org\r\n\r\n`), body]);
}

const many = (count: number, line: (at: number) => string) =>
  Array.from({ length: count }, (_, at) => line(at)).join('\n');

const largest = `(a{255}){${Math.floor(limits.sieve_regex_program.value / 260) - 1}}b`;

for (
  const [what, script, mail] of [
    [
      'the largest expression over the largest body',
      `require ["body", "regex"]; if body :raw :regex "${largest}" { }`,
      message(BODY),
    ],
    [
      'the largest expression over a header of a megabyte',
      `require "regex"; if header :regex "x" "${largest}" { }`,
      message(1, 'a', `X: ${'a'.repeat(1 << 20)}\r\n`),
    ],
    [
      'expressions that keep many ways open, again and again',
      `require ["body", "regex"]; ${many(500, (at) => `if body :raw :regex ".*a.*a.*a.*b${at}" { }`)}`,
      message(BODY),
    ],
    [
      'patterns with ? over the largest body',
      `require "body"; ${many(100, (at) => `if body :raw :matches "*${'a?'.repeat(200)}b${at}*" { }`)}`,
      message(BODY),
    ],
    [
      'patterns that compare characters over the largest body',
      `require ["body", "comparator-i;unicode-casemap"];
       ${many(200, (at) => `if body :raw :comparator "i;unicode-casemap" :matches "*b${at}*" { }`)}`,
      message(BODY, 'é'),
    ],
    [
      'long keys that nearly stand everywhere',
      `require "body"; ${many(300, (at) => `if body :raw :contains "${'a'.repeat(150)}b${at}" { }`)}`,
      message(BODY),
    ],
    [
      'a body decoded anew for each test, because the message was changed',
      `require ["body", "editheader"]; addheader "X-A" "b"; ${
        many(1_000, () => 'if body :text :is "b" { }')
      }`,
      message(BODY),
    ],
    [
      'a body in a thousand forms',
      `require "body"; ${many(1_000, (at) => `if body :content ["text", "x${at}"] :is "b" { }`)}`,
      message(BODY),
    ],
    [
      'the text of a part, again and again',
      `require ["foreverypart", "extracttext", "variables"]; foreverypart { ${
        many(1_000, () => 'extracttext :first 1 "x";')
      } }`,
      message(BODY),
    ],
  ] as const
) {
  test(`${what}: an error, and the message is kept`, () => {
    const { error } = outcome(script, mail);
    expect(error?.text).toBe(STEPS);
  });
}

test('what people write is far within the budget: sixty rules about the text of half a megabyte', () => {
  const script = `require ["body", "regex"];
    ${many(40, (at) => `if body :contains ["offer ${at}", "bargain ${at}"] { discard; }`)}
    ${many(20, (at) => `if body :regex "(cheap|free) (pills|watches) ${at}" { discard; }`)}`;
  expect(outcome(script, message(1 << 19, 'Hello, this is a letter of some length.\r\n')).error).toBeNull();
});

test('actions hold only so much of changed messages', () => {
  const size = 4 << 20;
  const mail = message(size, 'a', 'Content-Type: multipart/mixed; boundary=b\r\n');
  const held =
    `the actions of the script hold more than ${limits.sieve_edited.value} octets of changed messages`;
  const grow = `require ["fileinto", "enclose"];
    ${many(30, (at) => `enclose :subject "s" :headers "to" "t"; fileinto "f${at}";`)}`;
  expect(outcome(grow, mail).error?.text).toBe(held);
  // Changed headers share the body with the message that came.
  const headers = `require ["fileinto", "editheader"];
    ${many(30, (at) => `addheader "X-A" "${at}"; fileinto "f${at}";`)}`;
  expect(outcome(headers, mail).error).toBeNull();
});

test('a script that computes for long lets others have their turn', async () => {
  let pauses = 0;
  const host = {
    ...HOST,
    pause: () => {
      pauses++;
      return Promise.resolve();
    },
  };
  const script = `require ["body", "regex"]; ${many(50, (at) => `if body :raw :regex "[a-c]d${at}" { }`)}`;
  const input = { message: new Mail(message(50_000)), envelope: ENVELOPE, host };
  const { error } = await run(program(script), input);
  expect(error).toBeNull();
  expect(pauses).toBeGreaterThan(3);
  // One that is short is done at once.
  const short = run(program('if header "from" "x" { discard; }'), input);
  expect(short).not.toBeInstanceOf(Promise);
});

test('one body test over a large body lets others have their turn, whatever the body is made of', async () => {
  const html = '<p>The <b>quick</b> br\u00f6wn &amp; fox</p>\r\n';
  const parts = Array.from(
    { length: 64 },
    () => `--b\r\nContent-Type: text/html\r\n\r\n${html.repeat(1600)}\r\n`,
  );
  for (
    const [mail, least] of [
      [message(2 * BODY, html, 'Content-Type: text/html; charset=utf-8\r\n'), 16],
      [
        message(
          2 * BODY,
          '=C3=B6',
          'Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: quoted-printable\r\n',
        ),
        6,
      ],
      [message(1), 0],
      [Buffer.from(`Content-Type: multipart/mixed; boundary=b\r\n\r\n${parts.join('')}--b--\r\n`), 12],
    ] as const
  ) {
    let pauses = 0;
    const host = { ...HOST, pause: () => Promise.resolve(void pauses++) };
    const input = { message: new Mail(mail), envelope: ENVELOPE, host };
    const { error } = await run(
      program('require "body"; if body :text :contains "never" { discard; }'),
      input,
    );
    expect(error).toBeNull();
    expect(pauses).toBeGreaterThanOrEqual(least);
  }
});

test('so does the text of one large part in a variable', async () => {
  let pauses = 0;
  const host = { ...HOST, pause: () => Promise.resolve(void pauses++) };
  const script = 'require ["extracttext", "foreverypart", "variables", "fileinto"]; ' +
    'foreverypart { extracttext :first 9 "x"; } if string "${x}" "some html" { fileinto "found"; }';
  const mail = message(2 * BODY, '<p>some html</p>', 'Content-Type: text/html\r\n');
  const { error, result } = await run(program(script), { message: new Mail(mail), envelope: ENVELOPE, host });
  expect(error).toBeNull();
  expect(result.decided().map(({ kind }) => kind)).toEqual(['fileinto']);
  expect(pauses).toBeGreaterThanOrEqual(16);
});
