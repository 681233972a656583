/** What is left of HTML when a script looks at its text. */

import { expect, test } from 'bun:test';
import { htmlText, htmlToText } from '../../../src/sieve/mail/html.ts';
import { SLICE } from '../../../src/sieve/slices.ts';
import { forSeeds } from '../../mime/random.ts';

test.each<[string, string]>([
  ['<html><body>This is <b>HTML</b></body></html>', 'This is HTML'],
  ['<p>One\nline</p><p>Two<br>Three</p>', 'One line\nTwo\nThree'],
  ['Make&nbsp;M<b>ON</b>EY &amp; &lt;more&gt; &#8364;&#x20AC;&euro;&auml;', 'Make MONEY & <more> €€€ä'],
  ['<style>p { color: red }</style>a<script>if (a < b) document.write("</p>")</SCRIPT>b', 'ab'],
  ['a<!-- <b>not</b> seen -->b', 'ab'],
  ['<a title="a > b" href=\'x>y\'>link</a>', 'link'],
  ['1 < 2 and 3 > 2', '1 < 2 and 3 > 2'],
  ['<!DOCTYPE html><?xml version="1.0"?>text', 'text'],
  ['<td>a</td><td>b</td>', 'a\nb'],
  ['&unknown; &#0; &#xd800; &', '&unknown; &#0; &#xd800; &'],
  ['a<b', 'a'],
  ['a<!-- open', 'a'],
  ['<script>open', ''],
  ['', ''],
])('%j', (html, text) => {
  expect(htmlToText(html)).toBe(text);
});

test('no tag and no hidden text comes through, whatever is around it', () => {
  const pieces = [
    '<p>',
    '</p>',
    '<b class="x">',
    '<',
    '>',
    '"',
    "'",
    '&amp;',
    '&',
    ' ',
    '\n',
    'word',
    '<script>',
    '</script>',
  ];
  forSeeds(3_000, (random) => {
    let html = '';
    for (let n = random.below(20); n > 0; n--) html += random.pick(pieces);
    const text = htmlToText(html);
    expect({ html, text: /class| {2}|\n\n|<p>|<\/p>/.test(text) && !html.includes('<<') ? text : '' })
      .toEqual({
        html,
        text: '',
      });
  });
});

test.each([
  '<'.repeat(300_000),
  '<a '.repeat(100_000),
  '<b> '.repeat(100_000),
  '<!--'.repeat(100_000),
  '<script></scripT '.repeat(50_000),
  '&'.repeat(300_000),
  ' '.repeat(300_000),
  '<a href="'.repeat(50_000),
])('hostile input %# is read in one pass', (html) => {
  expect(htmlToText(html).length).toBeLessThanOrEqual(html.length);
});

test.each([
  'word '.repeat(500_000),
  '&amp; '.repeat(300_000),
  '&#8364;'.repeat(200_000),
  '<'.repeat(2_000_000),
  '<br>'.repeat(400_000),
  '<p>a&nbsp;b</p>'.repeat(100_000),
])('large input %# is read in slices, and comes out as it does in small pieces', (html) => {
  const slices = htmlText(html);
  let count = 1;
  let step = slices.next();
  for (; step.done !== true; step = slices.next()) count++;
  expect(count).toBeGreaterThanOrEqual(Math.floor(html.length / SLICE));
  // Whole pieces of the input, each for itself.
  const period = html.indexOf(html.slice(0, 4), 1);
  const one = period * 1000;
  const piece = htmlToText(html.slice(0, one));
  const between = html.startsWith('<p>')
    ? '\n'
    : html.startsWith('word') || html.startsWith('&amp; ')
    ? ' '
    : '';
  expect(step.value === Array.from({ length: html.length / one }, () => piece).join(between)).toBe(true);
});

test('no reference is cut, wherever a slice ends', () => {
  for (let at = SLICE - 16; at <= SLICE + 2; at++) {
    for (
      const [reference, text] of [
        ['&#00000008364;', '&#00000008364;'],
        ['&#008364;', '€'],
        ['&hellip;', '…'],
        [
          '&a&amp',
          '&a&',
        ],
      ]
    ) {
      expect(htmlToText(`${'x'.repeat(at)}${reference} ${'y'.repeat(SLICE)}`)).toBe(
        `${'x'.repeat(at)}${text} ${'y'.repeat(SLICE)}`,
      );
    }
  }
});
