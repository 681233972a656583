/** Rights letters as clients give and get them (RFC 4314 §2). */

import { syntaxError } from '../errors.ts';

/** All rights there are, in the order they are shown. */
export const RIGHTS = 'lrswipkxtea';

/** RFC 2086's `c` and `d` and what they stand for here (RFC 4314 §2.1.1). */
const CREATE_MEMBERS = 'kx';
const DELETE_MEMBERS = 'te';

/** The rights named by a client, each once; `c` and `d` expanded. Throws BAD for letters that are no rights. */
export function readRights(letters: string): string {
  const wanted = new Set<string>();
  for (const letter of letters) {
    if (letter === 'c') { for (const member of CREATE_MEMBERS) wanted.add(member); }
    else if (letter === 'd') { for (const member of DELETE_MEMBERS) wanted.add(member); }
    else if (RIGHTS.includes(letter)) wanted.add(letter);
    // RFC 4314 §3.1: an unrecognized right must not be ignored.
    else throw syntaxError(`only the rights ${RIGHTS}, c and d are supported`);
  }
  return [...RIGHTS].filter((right) => wanted.has(right)).join('');
}

/** Rights as a client is told them, with `c` and `d` where one of their members is there (RFC 4314 §2.1.1). */
export function showRights(rights: string): string {
  let shown = [...RIGHTS].filter((right) => rights.includes(right)).join('');
  if ([...CREATE_MEMBERS].some((member) => shown.includes(member))) shown += 'c';
  if ([...DELETE_MEMBERS].some((member) => shown.includes(member))) shown += 'd';
  return shown;
}
