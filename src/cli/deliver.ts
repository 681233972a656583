/**
 * `deliver`: a message on standard input goes to users of the running store, over LMTP. This is what the line of
 * Cyrus in Postfix's master.cf calls:
 *
 *   user=cyrus argv=/usr/lib/cyrus-imapd/deliver -e -r ${sender} -m ${extension} ${user}
 *
 * What goes wrong is said on standard error with its enhanced status code in front, as pipe(8) passes it on.
 */

import type { Service } from '../config/services.ts';
import { asMailError, serverError } from '../errors.ts';
import { LmtpClient } from '../lmtp/client.ts';
import type { Place } from '../net/wire.ts';
import type { SmtpReply } from '../outgoing/smtp/reply.ts';
import { type Command, type CommandIo, processIo } from './command.ts';
import { configArguments, configUsage, parseArgs, settingsFrom, usageError } from './options.ts';
import { EX_DATAERR, EX_NOPERM, EX_NOUSER, EX_OK, EX_TEMPFAIL } from './sysexits.ts';

const usage = `Usage: deliver [-e] [-r SENDER] [-m MAILBOX] [-q] USER...
       deliver [-e] [-r SENDER] -m MAILBOX [-q]

Delivers the message on standard input to each USER of the running store; USER may carry a domain.

  -r, -f, --sender SENDER  the return path; empty for none, which is also what a missing -r means
  -m, --mailbox MAILBOX    deliver to this folder of the user where the sender may post to it, else to the INBOX;
                           without USER, to this shared folder. Empty: as if it was not given
  -q, --ignore-quota       deliver past the quota
  -e, -d                   taken for the sake of old command lines; both say what is always done
${configUsage}  --help                   this text

Exit codes: 0 delivered, 64 wrong command line, 65 the message was refused, 67 unknown user, 75 try again later,
77 not allowed. With several users, 75 if one of them is worth another try. A wrong configuration is 75, too: no mail
is returned for it.
`;

const commandArguments = {
  ...configArguments,
  sender: { short: 'r', value: 'SENDER' },
  from: { short: 'f', value: 'SENDER' },
  mailbox: { short: 'm', value: 'MAILBOX' },
  ignoreQuota: { short: 'q' },
  duplicateSuppression: { short: 'e' },
  mailProgram: { short: 'd' },
} as const;

export const deliverCommand: Command = {
  name: 'deliver',
  summary: 'deliver the message on standard input to users of the running store',
  usage,
  async run(args, io) {
    const { options, operands } = parseArgs(args, commandArguments);
    if (options.help) {
      io.stdout(usage);
      return EX_OK;
    }
    if (options.sender !== undefined && options.from !== undefined) {
      throw usageError('-r and -f are the same');
    }
    const mailbox = options.mailbox ?? '';
    const users = operands.filter((user) => user !== '');
    if (users.length === 0 && mailbox === '') throw usageError('deliver needs a user');
    const envelope: Envelope = {
      sender: senderAddress(options.sender ?? options.from ?? ''),
      recipients: users.length === 0
        ? [recipientAddress('', mailbox)]
        : users.map((user) => recipientAddress(user, mailbox)),
      ignoreQuota: options.ignoreQuota,
    };
    try {
      const { settings } = settingsFrom(options);
      return await deliver(envelope, lmtpPlace(settings.services), settings.servername, io);
    } catch (thrown) {
      const error = asMailError(thrown);
      if (error.code !== 'config') throw thrown;
      // Postfix returns mail to the sender at EX_CONFIG; a slip in a configuration is worth another try.
      io.stderr(`4.3.5 ${error.message}\n`);
      return EX_TEMPFAIL;
    }
  },
};

/** Runs the command with the streams of this process. */
export function run(args: readonly string[]): Promise<number> {
  return deliverCommand.run(args, processIo());
}

interface Envelope {
  /** Both as addresses, quoted where they must be; Unicode. */
  readonly sender: string;
  readonly recipients: readonly string[];
  readonly ignoreQuota: boolean;
}

/** One LMTP transaction; resolves to the exit code. */
async function deliver(
  envelope: Envelope,
  place: Place,
  clientName: string,
  io: CommandIo,
): Promise<number> {
  let client: LmtpClient | null = null;
  try {
    client = await LmtpClient.connect(place, clientName);
    const extensions = await client.lhlo();
    const replies = await transact(client, extensions, envelope, io);
    await client.say('QUIT').catch(() => {});
    for (const [index, reply] of replies.entries()) {
      if (reply.code >= 300) {
        io.stderr(
          `${reply.status || `${Math.trunc(reply.code / 100)}.0.0`} ${
            envelope.recipients[index]
          }: ${reply.text}\n`,
        );
      }
    }
    const codes = replies.map(exitCode);
    return codes.find((code) => code === EX_TEMPFAIL) ?? codes.find((code) => code !== EX_OK) ?? EX_OK;
  } catch (thrown) {
    // Nobody may lose mail because the store is down or restarts: everything that is not an answer is temporary.
    io.stderr(`4.3.0 ${asMailError(thrown).message}\n`);
    return EX_TEMPFAIL;
  } finally {
    client?.close();
  }
}

/** The reply for each recipient, from RCPT or after the data. */
async function transact(
  client: LmtpClient,
  extensions: ReadonlyMap<string, string>,
  envelope: Envelope,
  io: CommandIo,
): Promise<SmtpReply[]> {
  const { sender, recipients } = envelope;
  const international = [sender, ...recipients].some((address) => /[^\x00-\x7f]/.test(address));
  let parameters = extensions.has('8BITMIME') ? ' BODY=8BITMIME' : '';
  if (international) parameters += ' SMTPUTF8';
  const from = await client.say(`MAIL FROM:<${bytes(sender)}>${parameters}`);
  if (from.code >= 300) return recipients.map(() => from);
  if (envelope.ignoreQuota && !extensions.has('IGNOREQUOTA')) {
    throw serverError('the server does not let this client ignore quotas (-q)');
  }
  const replies: SmtpReply[] = [];
  for (const recipient of recipients) {
    replies.push(
      await client.say(`RCPT TO:<${bytes(recipient)}>${envelope.ignoreQuota ? ' IGNOREQUOTA' : ''}`),
    );
  }
  if (replies.every((reply) => reply.code >= 300)) {
    // The program that pipes the message in must not die of a closed pipe.
    for await (const _chunk of io.stdin);
    return replies;
  }
  const go = await client.say('DATA');
  if (go.code !== 354) return replies.map((reply) => reply.code >= 300 ? reply : go);
  await client.sendMessage(io.stdin);
  for (const [index, reply] of replies.entries()) {
    if (reply.code < 300) replies[index] = await client.reply();
  }
  return replies;
}

/** By the enhanced status code (RFC 3463): 4 is for later, 5.1 about the address, 5.7 about rights. */
function exitCode(reply: SmtpReply): number {
  if (reply.code < 300) return EX_OK;
  if (reply.code < 500) return EX_TEMPFAIL;
  if (reply.status.startsWith('5.1.')) return EX_NOUSER;
  if (reply.status.startsWith('5.7.')) return EX_NOPERM;
  return EX_DATAERR;
}

/** The first LMTP service, a unix socket before a port: who can open it is trusted. */
export function lmtpPlace(services: readonly Service[]): Place {
  const lmtp = services.filter(({ protocol, tls }) => protocol === 'lmtp' && !tls);
  const chosen = lmtp.find(({ listen }) => listen.kind === 'unix') ?? lmtp[0];
  if (chosen === undefined) {
    throw serverError('the configuration has no LMTP service to deliver through', undefined, 'config');
  }
  const { listen } = chosen;
  if (listen.kind === 'unix') return { path: listen.path };
  const anywhere = listen.host === '' || listen.host === '0.0.0.0' || listen.host === '::';
  const loopback = listen.family === 'ipv6' ? '::1' : '127.0.0.1';
  return { host: anywhere ? loopback : listen.host, port: listen.port };
}

/**
 * `user+mailbox@domain`, with the local part quoted where it must be (RFC 5321 §4.1.2).
 * @throws MailError 'badsyntax' for what would end the line or the address: arguments are not commands
 */
export function recipientAddress(user: string, mailbox: string): string {
  const at = user.lastIndexOf('@');
  const local = at < 0 ? user : user.slice(0, at);
  const domain = at < 0 ? '' : user.slice(at);
  return quoteLocal(mailbox === '' ? local : `${local}+${mailbox}`) + checkDomain(domain);
}

function senderAddress(sender: string): string {
  const plain = sender.replace(/^<(.*)>$/, '$1');
  const at = plain.lastIndexOf('@');
  if (plain === '') return '';
  return at < 0 ? quoteLocal(plain) : quoteLocal(plain.slice(0, at)) + checkDomain(plain.slice(at));
}

function quoteLocal(local: string): string {
  // Postfix hands over ${sender} with the quotes it has.
  if (/^"(?:[^"\\\x00-\x1f\x7f]|\\[^\x00-\x1f\x7f])*"$/.test(local)) return local;
  if (/[\x00-\x1f\x7f]/.test(local)) throw usageError('an address holds control characters');
  if (/^[A-Za-z0-9!#$%&'*+\-/=?^_`{|}~.\x80-\u{10ffff}]+$/u.test(local)) return local;
  return `"${local.replace(/["\\]/g, '\\$&')}"`;
}

/** @param domain with its @, or '' */
function checkDomain(domain: string): string {
  if (!/^(?:@[^\s<>@"\x00-\x1f\x7f]+)?$/.test(domain)) throw usageError(`"${domain}" is not a domain`);
  return domain;
}

/** UTF-8 as a string of one character per byte. */
function bytes(text: string): string {
  return Buffer.from(text, 'utf8').toString('latin1');
}
