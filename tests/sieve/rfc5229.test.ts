/** The examples of RFC 5229, by section. One of §3.2 calls "fileinfo" what is "fileinto". */

import { expect, test } from 'bun:test';
import { actions, decide, findings, message, MESSAGE_A } from './harness.ts';

/** What a string becomes behind some commands. */
function expanded(text: string, before = ''): string {
  const script = `require ["variables", "fileinto", "encoded-character"]; ${before} fileinto "<${text}>";`;
  const [action] = decide(script, MESSAGE_A);
  return action?.kind === 'fileinto' ? (action.placement.mailbox ?? '').slice(1, -1) : '';
}

test('§3: references to variables, and what is none', () => {
  expect(expanded('&%${}!')).toBe('&%${}!');
  expect(expanded('${doh!}')).toBe('${doh!}');
  const company = 'set "company" "ACME";';
  expect(expanded('${full}', company)).toBe('');
  expect(expanded('${company}', company)).toBe('ACME');
  expect(expanded('${BAD${Company}', company)).toBe('${BADACME');
  expect(expanded('${President, ${Company} Inc.}', company)).toBe('${President, ACME Inc.}');
});

test('§3: a namespace nobody required is an error', () => {
  expect(findings('require ["variables"]; if string "${envelope.from}" "a" { }')[0]).toContain('envelope');
});

test('§3.1: backslashes and encoded characters come first', () => {
  const foo = 'set "foo" "bar";';
  expect(expanded('${fo\\o}', foo)).toBe('bar');
  expect(expanded('${fo\\\\o}', foo)).toBe('${fo\\o}');
  expect(expanded('\\${foo}', foo)).toBe('bar');
  expect(expanded('\\\\${foo}', foo)).toBe('\\bar');
  expect(expanded('regarding ${dollar}{beep}', 'set "dollar" "$";')).toBe('regarding ${beep}');
});

test('§3.1: a reference that is put together from encoded characters', () => {
  const script = `require ["encoded-character", "variables"];
    set "name" "Ethelbert";
    if header :contains "Subject" "dear\${hex:20 24 7b 4e}ame}" { discard; }`;
  expect(actions(script, message('Subject: Oh dear Ethelbert', '', ''))).toEqual(['discard']);
  expect(actions(script, message('Subject: Oh dear', '', ''))).toEqual(['implicit keep']);
});

test('§3.2: match variables', () => {
  const script = `require ["fileinto", "variables"];
    if header :matches "List-ID" "*<*@*" { fileinto "INBOX.lists.\${2}"; stop; }
    if header :matches "Subject" "[*] *" { fileinto "INBOX.lists.\${1}"; stop; }
    if address :matches ["To", "Cc"] ["coyote@**.com", "wile@**.com"] {
      fileinto "INBOX.business.\${2}"; stop;
    } else {
      fileinto "nothing:\${0}\${1}";
    }
    if anyof (true, address :domain :matches "To" "*.com") { fileinto "still nothing:\${1}"; stop; }`;
  const filed = (...header: string[]) => actions(script, message(...header, '', ''));
  expect(filed('List-ID: Acme <users@acme.example>')).toEqual(['fileinto INBOX.lists.users']);
  expect(filed('Subject: [acme-users] [fwd] version 1.0 is out')).toEqual([
    'fileinto INBOX.lists.acme-users',
  ]);
  expect(filed('To: coyote@ACME.Example.COM')).toEqual(['fileinto INBOX.business.ACME.Example']);
  expect(filed('To: else@example.com')).toEqual(['fileinto nothing:', 'fileinto still nothing:']);
});

test('§4: names are the same in any case', () => {
  const script = `require ["variables", "reject"];
    set "honorific"  "Mr";
    set "first_name" "Wile";
    set "last_name"  "Coyote";
    set "vacation" text:
Dear \${HONORIFIC} \${last_name},
I'm out, please leave a message after the meep.
.
;
    reject "\${vacation}";`;
  expect(decide(script, MESSAGE_A)[0]).toMatchObject({
    reason: "Dear Mr Coyote,\r\nI'm out, please leave a message after the meep.\r\n",
  });
  for (const name of ['1', 'a-b', 'a.b', '${x}']) {
    expect(findings(`require "variables"; set "${name}" "x";`)).not.toEqual([]);
  }
});

test('§4.1: modifiers', () => {
  const a = 'set "a" "juMBlEd lETteRS";';
  expect(expanded('${a}', a)).toBe('juMBlEd lETteRS');
  expect(expanded('${b}', `${a} set :length "b" "\${a}";`)).toBe('15');
  expect(expanded('${b}', `${a} set :lower "b" "\${a}";`)).toBe('jumbled letters');
  expect(expanded('${b}', `${a} set :upperfirst "b" "\${a}";`)).toBe('JuMBlEd lETteRS');
  expect(expanded('${b}', `${a} set :upperfirst :lower "b" "\${a}";`)).toBe('Jumbled letters');
  expect(expanded('${b}', 'set :quotewildcard "b" "Rock*";')).toBe('Rock\\*');
  expect(findings('require "variables"; set :lower :upper "a" "b";')).not.toEqual([]);
});

test('§5: the test string', () => {
  const script = `require "variables";
    set "state" "\${state} pending";
    if string :matches " \${state} " "* pending *" { discard; }`;
  expect(actions(script, MESSAGE_A)).toEqual(['discard']);
});
