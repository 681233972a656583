/** Messages to fill mailboxes with: the same on every run, and of the kinds a mailbox holds. */

const LINE = 'The quick brown fox jumps over the lazy dog and runs on to the next line.\r\n';

function messageId(index: number): string {
  return `<${index}.${(index * 2654435761 >>> 0).toString(16)}@example.net>`;
}

function header(index: number): string {
  const day = String(1 + index % 28).padStart(2, '0');
  const lines = [
    `Received: from mx${index % 7}.example.net (mx${index % 7}.example.net [192.0.2.${index % 250}])`,
    `\tby mail.example.org (Postfix) with ESMTPS id 4Q${index.toString(36).padStart(8, '0')};`,
    `\tThu, ${day} Jan 2026 10:00:00 +0100 (CET)`,
    `Date: Thu, ${day} Jan 2026 ${String(index % 24).padStart(2, '0')}:${
      String(index % 60).padStart(2, '0')
    }:00 +0100`,
    `From: "Sender, Number ${index}" <sender${index % 500}@example.net>`,
    `To: Reader One <reader@example.org>, Reader Two <two@example.org>`,
    `Cc: list-${index % 20}@lists.example.org`,
    `Subject: =?utf-8?q?Gru=C3=BC=C3=9Fe?= and message number ${index} of the measured mailbox`,
    `Message-ID: ${messageId(index)}`,
  ];
  const before = Array.from({ length: index % 3 }, (_, back) => messageId(index - index % 3 + back));
  if (before.length > 0) lines.push(`In-Reply-To: ${before.at(-1)}`, `References: ${before.join(' ')}`);
  lines.push('MIME-Version: 1.0');
  return lines.join('\r\n') + '\r\n';
}

/** Message `index`, about 4 KB: one in two is plain text, the others alternatives or with an attachment. */
export function sampleMessage(index: number): Buffer {
  const text = LINE.repeat(20);
  if (index % 2 === 0) {
    return Buffer.from(`${header(index)}Content-Type: text/plain; charset=utf-8\r\n\r\n${LINE.repeat(45)}`);
  }
  const boundary = `=_part_${index}`;
  const kind = index % 4 === 1 ? 'alternative' : 'mixed';
  const second = kind === 'alternative'
    ? `Content-Type: text/html; charset=utf-8\r\nContent-Transfer-Encoding: 8bit\r\n\r\n<p>${text}</p>\r\n`
    : `Content-Type: application/pdf; name="bill ${index}.pdf"\r\nContent-Transfer-Encoding: base64\r\n` +
      `Content-Disposition: attachment; filename="bill ${index}.pdf"\r\n\r\n${'QUJD'.repeat(19)}\r\n`.repeat(
        1,
      ) +
      `${'QUJD'.repeat(19)}\r\n`.repeat(20);
  return Buffer.from(
    `${header(index)}Content-Type: multipart/${kind}; boundary="${boundary}"\r\n\r\n` +
      `--${boundary}\r\nContent-Type: text/plain; charset=utf-8\r\n\r\n${text}\r\n` +
      `--${boundary}\r\n${second}\r\n--${boundary}--\r\n`,
  );
}
