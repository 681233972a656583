/**
 * Mail as it comes: a third is short plain text, half has text and HTML, an eighth brings attachments, and every other
 * message answers an earlier one. The same on every run; 45 KB on average, half of the messages are below 12 KB.
 */

import { Random } from '../../tests/harness/random.ts';

const WORDS =
  'about after again before between build change could every first given great have house large later letter light meeting might minutes money month never number order other paper people place please point price project question reason right second should since small sound still story system table their there these thing think those thought three through today together under until water where which while world would write years Grüße für über Straße'
    .split(' ');

const KILOBYTE = 1024;
/** Shares of a hundred messages by kind, with the sizes of what makes each large. */
const PLAIN = { share: 35, from: 1 * KILOBYTE, to: 5 * KILOBYTE };
const RICH = { share: 50, from: 5 * KILOBYTE, to: 60 * KILOBYTE };
const ATTACHED = { from: 30 * KILOBYTE, to: 600 * KILOBYTE };

interface Place {
  readonly id: string;
  readonly references: readonly string[];
  readonly subject: string;
}

/** The first `count` messages. */
export function corpus(count: number): Buffer[] {
  const random = new Random(5256);
  const places: Place[] = [];
  return Array.from({ length: count }, (_, index) => makeMessage(random, index, places));
}

function makeMessage(random: Random, index: number, places: Place[]): Buffer {
  const parent = index > 0 && random.oneIn(2)
    ? places[index - 1 - random.below(Math.min(index, 40))]
    : undefined;
  const place = {
    id: `<${index}.${random.below(1e9).toString(36)}@mail${random.below(50)}.example.net>`,
    references: parent === undefined ? [] : [...parent.references.slice(-12), parent.id],
    subject: parent === undefined ? sentence(random, 3 + random.below(6)) : `Re: ${parent.subject}`,
  };
  places.push(place);
  const kind = random.below(100);
  const body = kind < PLAIN.share
    ? plain(random, size(random, PLAIN))
    : kind < PLAIN.share + RICH.share
    ? rich(random, index, size(random, RICH))
    : attached(random, index, size(random, ATTACHED));
  return Buffer.from(header(random, index, place, parent) + body);
}

/** Evenly over the orders of magnitude: small ones are frequent. */
function size(random: Random, range: { readonly from: number; readonly to: number }): number {
  return Math.round(range.from * (range.to / range.from) ** (random.below(10_000) / 10_000));
}

function header(random: Random, index: number, place: Place, parent: Place | undefined): string {
  const day = String(1 + index % 28).padStart(2, '0');
  const time = `${String(index % 24).padStart(2, '0')}:${String(index % 60).padStart(2, '0')}:00 +0100`;
  const sender = random.below(400);
  const relay = random.below(9);
  const lines = [
    `Received: from relay${relay}.example.net (relay${relay}.example.net [192.0.2.${relay}])`,
    `\tby mx.example.org (Postfix) with ESMTPS id 4Q${index.toString(36).padStart(9, '0')}`,
    `\tfor <reader@example.org>; Thu, ${day} Jan 2026 ${time} (CET)`,
    `Authentication-Results: mx.example.org; dkim=pass header.d=example.net header.i=@example.net`,
    `DKIM-Signature: v=1; a=rsa-sha256; c=relaxed/relaxed; d=example.net; s=s2026;`,
    `\th=from:to:subject:date:message-id; bh=${letters(random, 43)}=;`,
    `\tb=${letters(random, 68)}\r\n\t${letters(random, 70)}\r\n\t${letters(random, 60)}==`,
    `Date: Thu, ${day} Jan 2026 ${time}`,
    `From: "${name(sender)}" <sender${sender}@example.net>`,
    `To: Reader One <reader@example.org>`,
    `Subject: ${place.subject}`,
    `Message-ID: ${place.id}`,
  ];
  if (random.oneIn(3)) lines.push(`Cc: ${name(sender + 1)} <cc${sender}@example.org>, team@example.org`);
  if (parent !== undefined) {
    lines.push(`In-Reply-To: ${parent.id}`, `References: ${place.references.join('\r\n ')}`);
  }
  if (random.oneIn(3)) {
    lines.push(`List-Id: <list${random.below(30)}.example.net>`, 'Precedence: bulk');
    lines.push(`List-Unsubscribe: <https://example.net/u/${letters(random, 40)}>`);
  }
  lines.push('MIME-Version: 1.0');
  return `${lines.join('\r\n')}\r\n`;
}

function name(number: number): string {
  return `${WORDS[number % 40] ?? ''} ${WORDS[number * 7 % 40] ?? ''}`;
}

function plain(random: Random, bytes: number): string {
  return `Content-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n${
    prose(random, bytes)
  }`;
}

function rich(random: Random, index: number, bytes: number): string {
  const boundary = `=_alt_${index}_${random.below(1e9)}`;
  return `Content-Type: multipart/alternative; boundary="${boundary}"\r\n\r\n${
    alternatives(random, boundary, bytes)
  }`;
}

function alternatives(random: Random, boundary: string, bytes: number): string {
  return `--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n` +
    `${prose(random, bytes / 5)}\r\n--${boundary}\r\nContent-Type: text/html; charset=utf-8\r\n` +
    `Content-Transfer-Encoding: quoted-printable\r\n\r\n${
      html(random, bytes * 4 / 5)
    }\r\n--${boundary}--\r\n`;
}

function attached(random: Random, index: number, bytes: number): string {
  const boundary = `=_mix_${index}_${random.below(1e9)}`;
  const inner = `=_alt_${index}_${random.below(1e9)}`;
  const parts = 1 + random.below(3);
  let text = `Content-Type: multipart/mixed; boundary="${boundary}"\r\n\r\n--${boundary}\r\n` +
    `Content-Type: multipart/alternative; boundary="${inner}"\r\n\r\n${
      alternatives(random, inner, 4000)
    }\r\n`;
  for (let part = 0; part < parts; part++) {
    const file = random.pick(['bill.pdf', 'photo.jpg', 'table.xlsx', 'Übersicht.docx']);
    text += `--${boundary}\r\nContent-Type: application/octet-stream; name="${file}"\r\n` +
      `Content-Disposition: attachment; filename="${file}"\r\nContent-Transfer-Encoding: base64\r\n\r\n${
        base64(random, bytes / parts)
      }\r\n`;
  }
  return `${text}--${boundary}--\r\n`;
}

function sentence(random: Random, words: number): string {
  return Array.from({ length: words }, () => random.pick(WORDS)).join(' ');
}

function prose(random: Random, bytes: number): string {
  const lines: string[] = [];
  for (let length = 0; length < bytes; length += 74) lines.push(sentence(random, 11));
  return lines.join('\r\n') + '\r\n';
}

function html(random: Random, bytes: number): string {
  const lines = ['<html><head><style>td {padding: 0}</style></head><body><table width=3D"100%">'];
  for (let length = 0; length < bytes; length += 190) {
    lines.push(`<tr><td style=3D"font-family: sans-serif; color: #${letters(random, 6)}; margin: 0">=`);
    lines.push(
      `<a href=3D"https://example.net/c/${letters(random, 24)}">${sentence(random, 7)}</a></td></tr>`,
    );
  }
  return [...lines, '</table></body></html>'].join('\r\n');
}

function base64(random: Random, bytes: number): string {
  // Some lines, repeated in another order each time: as many bytes, far quicker made.
  const lines = Array.from({ length: 16 }, () => letters(random, 76));
  const all: string[] = [];
  for (let length = 0; length < bytes; length += 78) all.push(random.pick(lines));
  return all.join('\r\n');
}

function letters(random: Random, count: number): string {
  let text = '';
  while (text.length < count) text += random.below(2 ** 31).toString(36);
  return text.slice(0, count);
}
