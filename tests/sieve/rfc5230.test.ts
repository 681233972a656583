/** The examples of RFC 5230 and RFC 6131, by section. Who is answered, and how often: `delivery/answers.test.ts`. */

import { expect, test } from 'bun:test';
import type { VacationAction } from '../../src/sieve/result.ts';
import { actions, decide, message, MESSAGE_A } from './harness.ts';

/** What a script answers, if it does. */
function answer(script: string, bytes: Uint8Array = MESSAGE_A): VacationAction | undefined {
  return decide(script, bytes).find((action) => action.kind === 'vacation');
}

function about(subject: string): Uint8Array {
  return message('From: coyote@desert.example.org', `Subject: ${subject}`, '', '');
}

test('§4.2, first example: two answers are two', () => {
  const script = `require "vacation";
    if header :contains "subject" "cyrus" {
      vacation "I'm out -- send mail to cyrus-bugs";
    } else {
      vacation "I'm out -- call me at +1 304 555 0123";
    }`;
  const [bug, dinner] = [answer(script, about('Cyrus bug')), answer(script, about('come over for dinner'))];
  expect(bug?.reason).toBe("I'm out -- send mail to cyrus-bugs");
  expect(dinner?.reason).toBe("I'm out -- call me at +1 304 555 0123");
  expect(bug?.handle).not.toBe(dinner?.handle as string);
});

test('§4.2, second example: one answer with a variable in it is one', () => {
  const script = `require ["vacation", "variables"];
    if header :matches "subject" "*" {
      vacation :subject "Automatic response to: \${1}" "I'm away -- send mail to foo in my absence";
    }`;
  const [one, two] = [answer(script, about('one')), answer(script, about('two'))];
  expect([one?.subject, two?.subject]).toEqual(['Automatic response to: one', 'Automatic response to: two']);
  expect(one?.handle).toBe(two?.handle as string);
});

test('§4.2, third example: two answers of one handle are one', () => {
  const script = `require "vacation";
    if header :contains "subject" "lunch" {
      vacation :handle "ran-away" "I'm out and can't meet for lunch";
    } else {
      vacation :handle "ran-away" "I'm out";
    }`;
  const [lunch, dinner] = [answer(script, about('lunch?')), answer(script, about('dinner?'))];
  expect([lunch?.reason, dinner?.reason]).toEqual(["I'm out and can't meet for lunch", "I'm out"]);
  expect(lunch?.handle).toBe(dinner?.handle as string);
});

test('§4.4: an answer that is a MIME entity', () => {
  const given = answer(`require "vacation";
vacation :mime text:
Content-Type: multipart/alternative; boundary=foo

--foo

I'm at the beach relaxing.  Mmmm, surf...

--foo
Content-Type: text/html; charset=us-ascii

<HTML><BODY><P>I'm at the <A HREF="beach.gif">beach</A> relaxing.</BODY></HTML>

--foo--
.
;`);
  expect(given?.mime).toBe(true);
  expect(given?.reason).toStartWith('Content-Type: multipart/alternative; boundary=foo\r\n\r\n--foo\r\n');
});

test('§4.8: simple use', () => {
  expect(answer(`require "vacation";
    vacation :days 23 :addresses ["tjs@example.edu", "ts4z@landru.example.edu"]
"I'm away until October 19.
If it's an emergency, call 911, I guess." ;`)).toMatchObject({
    seconds: 23 * 86_400,
    addresses: ['tjs@example.edu', 'ts4z@landru.example.edu'],
    reason: "I'm away until October 19.\r\nIf it's an emergency, call 911, I guess.",
  });
});

test('§4.8: mingled with other rules', () => {
  const script = `require "vacation";
    if header :contains "from" "boss@example.edu" {
      redirect "pleeb@isp.example.org";
    } else {
      vacation "Sorry, I'm away, I'll read your
message when I get around to it.";
    }`;
  expect(actions(script, message('From: boss@example.edu', '', ''))).toEqual([
    'redirect pleeb@isp.example.org',
  ]);
  expect(actions(script, MESSAGE_A)).toEqual(['vacation', 'implicit keep']);
});

test('§7: an answer by language, and by where somebody is from', () => {
  const language = `require "vacation";
    if header :contains ["accept-language", "content-language"] "en"
    { vacation "I am away this week."; } else { vacation "Estoy ausente esta semana."; }`;
  expect(answer(language, message('Accept-Language: de, en', '', ''))?.reason).toBe('I am away this week.');
  expect(answer(language)?.reason).toBe('Estoy ausente esta semana.');
  const origin = `require "vacation";
    if address :matches "from" "*@ourdivision.example.com"
    { vacation :subject "Gone fishing" "Having lots of fun! Back in a day or two!"; }
    else { vacation :subject "Je suis parti cette semaine" "Je lirai votre message quand je retourne."; }`;
  expect(answer(origin, message('From: Bob <bob@ourdivision.example.com>', '', ''))?.subject).toBe(
    'Gone fishing',
  );
  expect(answer(origin)?.subject).toBe('Je suis parti cette semaine');
});

test('RFC 6131 §3: half an hour, and always', () => {
  expect(answer(`require ["vacation-seconds"];
    vacation :addresses ["tjs@example.edu", "ts4z@landru.example.edu"]
             :seconds 1800
             "I am in a meeting, and do not have access to email.";`)).toMatchObject({ seconds: 1800 });
  expect(answer(`require ["vacation-seconds"];
    vacation :handle "auto-resp" :seconds 0
        "Your request has been received.  A service
         representative will contact you as soon as
         possible, usually within one business day.";`)).toMatchObject({
    seconds: 0,
    handle: 'handle auto-resp',
  });
});
