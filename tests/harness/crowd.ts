/** As many people in a directory as one likes, as LDIF that is never held whole. */

import { spawn } from 'node:child_process';
import { Readable } from 'node:stream';

/** Entries of one piece of LDIF, and members of one group. */
const PIECE = 1_000;

/** The password of person `index` of a crowd, whose uid is `u<index>`. */
export function crowdPassword(index: number): string {
  return `of-u${index}`;
}

/** `count` people below ou=People, each a member of the group `g<thousand>`, and an entry for each group. */
export function* crowdLdif(count: number, suffix: string): Generator<string> {
  for (let begin = 0; begin < count; begin += PIECE) {
    const lines: string[] = [];
    const members: string[] = [];
    for (let index = begin; index < Math.min(begin + PIECE, count); index++) {
      const dn = `uid=u${index},ou=People,${suffix}`;
      lines.push(
        `dn: ${dn}\nobjectClass: inetOrgPerson\nuid: u${index}\ncn: u${index}\nsn: x\n` +
          `userPassword: ${crowdPassword(index)}\n\n`,
      );
      members.push(`member: ${dn}\n`);
    }
    const group = `g${begin / PIECE}`;
    lines.push(
      `dn: cn=${group},ou=Group,${suffix}\nobjectClass: groupOfNames\ncn: ${group}\n${members.join('')}\n`,
    );
    yield lines.join('');
  }
}

/** Feeds a program that must succeed piece by piece. */
export async function feed(
  program: string,
  args: readonly string[],
  pieces: Iterable<string>,
): Promise<void> {
  const child = spawn(program, args, { stdio: ['pipe', 'ignore', 'pipe'] });
  let stderr = '';
  child.stderr.on('data', (chunk: Buffer) => stderr += chunk.toString('latin1'));
  child.stdin.on('error', () => {}); // it ended early: its exit code says so
  Readable.from(pieces).pipe(child.stdin);
  const code = await new Promise<number | null>((resolve, reject) => {
    child.on('error', reject);
    child.on('close', resolve);
  });
  if (code !== 0) throw new Error(`${program} ended with ${code}:\n${stderr}`);
}
