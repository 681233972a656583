/** What a configuration offers, and why not the rest, in sentences. */

import type { MechanismOffer, Offer } from '../../auth/offer.ts';
import type { SourceAbilities } from '../../auth/secrets/source.ts';

/** Which sources are asked, and what each can be asked for. */
export function describeSources({ sources }: Offer): string {
  const lines = sources.map(({ name, source }) => `  ${name}: ${abilitiesOf(source.abilities)}\n`);
  return `Configured sources of secrets, in the order they are asked:\n${lines.join('')}`;
}

function abilitiesOf({ plain, scram }: SourceAbilities): string {
  const can = ['checks passwords'];
  if (plain) can.push('hands out passwords kept as they are (CRAM-MD5, DIGEST-MD5, APOP)');
  if (scram === 'stored') can.push('keeps the keys of SCRAM');
  if (scram === 'derived') can.push('SCRAM from passwords kept as they are');
  return can.join('; ');
}

/**
 * What is offered without and under TLS, then each mechanism that is not and why.
 * @param wanted tells which of them are asked for
 */
export function describeOffer({ mechanisms }: Offer, wanted: (name: string) => boolean): string {
  const shown = mechanisms.filter(({ name }) => wanted(name));
  const lines = [
    `Offered without TLS: ${names(shown.filter(({ plain }) => plain === null))}`,
    `Offered under TLS: ${names(shown.filter(({ tls }) => tls === null))}`,
  ];
  const refused = shown.flatMap(reasons);
  if (refused.length > 0) lines.push('Not offered:', ...refused.map((line) => `  ${line}`));
  return `${lines.join('\n')}\n`;
}

function reasons({ name, plain, tls }: MechanismOffer): string[] {
  if (plain !== null && plain === tls) return [`${name}: ${plain}`];
  return [
    ...(plain === null ? [] : [`${name} without TLS: ${plain}`]),
    ...(tls === null ? [] : [`${name} under TLS: ${tls}`]),
  ];
}

function names(mechanisms: readonly MechanismOffer[]): string {
  return mechanisms.length === 0 ? 'none' : mechanisms.map(({ name }) => name).join(' ');
}
