/** What users see of a store, as text that can be compared. */
import { MailError } from '../../../src/errors.ts';
import type { TestStore } from '../../store/teststore.ts';

export const USERS = ['anna', 'bert', 'cora', 'dora'];

/** Everything a user can see, one line per thing; lines that begin with ERROR where he hears of a failure. */
export async function observe(t: TestStore): Promise<Map<string, string[]>> {
  const all = new Map<string, string[]>();
  for (const userid of USERS) {
    const lines: string[] = [];
    all.set(userid, lines);
    try {
      await observeUser(t, userid, lines);
    } catch (error) {
      if (!(error instanceof MailError) || error.kind !== 'server') {
        lines.push(`ERROR unclear ${error instanceof Error ? error.stack : error}`);
      } else lines.push(`ERROR ${error.message}`);
    }
  }
  return all;
}

async function observeUser(t: TestStore, userid: string, lines: string[]): Promise<void> {
  lines.push(`secret ${t.store.secrets.get(userid)?.secret}`);
  const session = t.as(userid);
  for (const { owner, path } of session.subscriptions()) lines.push(`subscribed ${owner} ${path}`);
  for (const { name, active } of session.scripts.list()) {
    const content = Buffer.from(session.scripts.get(name) ?? '').toString();
    lines.push(`script ${name} ${active} ${content}`);
  }
  const { metadata } = session;
  const told = ({ name, value }: { name: string; value: Uint8Array }) => `${name} ${Buffer.from(value)}`;
  for (const entry of metadata.list(null)) lines.push(`server ${told(entry)}`);
  for (const { kind, key, until } of t.store.admin.remembered(userid).marks) {
    lines.push(`mark ${kind} ${key} ${until}`);
  }
  const request = { userid, detail: null, poster: null, size: null };
  lines.push(`runs ${(await t.store.recipient(request)).script}`);
  for (const { name, rights, specialUse } of session.list()) {
    lines.push(`listed ${name.owner}/${name.path} ${rights} ${specialUse.join()}`);
    // What is in it is its owner's, and may be beyond repair where this user's is not.
    if (name.owner !== userid) continue;
    for (const entry of metadata.list(name)) lines.push(`metadata ${name.path} ${told(entry)}`);
    const handle = await session.select(name, true, () => {});
    try {
      const { uidvalidity, uidnext, highestmodseq, exists, unseen } = handle.snapshot;
      lines.push(`mailbox ${name.path} ${uidvalidity} ${uidnext} ${highestmodseq} ${exists} ${unseen}`);
      lines.push(`quota ${JSON.stringify(handle.quotaRoots())} keywords ${handle.keywords.join()}`);
      for (const row of handle.wide(handle.uids(), 0, 10_000, ['envelope', 'bodystructure', 'headersize'])) {
        let body: string;
        try {
          const content = handle.content(row);
          const bytes = content.read(0, row[4]);
          content.close();
          body = bytes.length === row[4]
            ? new Bun.CryptoHasher('sha256').update(bytes).digest('hex')
            : 'ERROR file cut short';
        } catch (error) {
          body = `ERROR ${error instanceof Error ? error.message : error}`;
        }
        lines.push(`message ${name.path} ${row.join(' ')} ${body}`);
      }
    } finally {
      handle.close();
    }
  }
}

export function differing(seen: Map<string, string[]>, model: Map<string, string[]>): string[] {
  return USERS.filter((userid) => seen.get(userid)?.join('\n') !== model.get(userid)?.join('\n'));
}

/** The first lines in which two observations differ, for the report. */
export function difference(seen: readonly string[], model: readonly string[]): string {
  const gone = model.filter((line) => !seen.includes(line)).slice(0, 3);
  const come = seen.filter((line) => !model.includes(line)).slice(0, 3);
  return `missing [${gone.join(' | ')}] instead [${come.join(' | ')}]`.slice(0, 1500);
}
