/**
 * Filters and DNs with the user's name in them, with the tokens of saslauthd.conf and of Cyrus's ptloader:
 *
 *   %u  the user name      %U  the part before @      %d  the domain, or the realm where there is none
 *   %r  the realm          %1 … %9  the labels of the domain from its end      %D  the DN of the user      %%  a %
 *
 * What takes a token's place is escaped for where it stands, so a name is never more than a value.
 */

export interface TemplateValues {
  readonly userid: string;
  /** Domain of users without one, and of %r. */
  readonly realm: string;
  /** For %D; '' where it is not known yet. */
  readonly dn?: string;
}

type Escape = (value: string) => string;

/** A value in a search filter (RFC 4515 §3). */
export const filterValue: Escape = (value) =>
  value.replace(/[\\*()\0]/g, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`);

/** A value in a DN (RFC 4514 §2.4). */
export const dnValue: Escape = (value) =>
  value
    .replace(/[\\",+;<>=]/g, (character) => `\\${character}`)
    .replace(/[\0-\x1f]/g, (character) => `\\${character.charCodeAt(0).toString(16).padStart(2, '0')}`)
    .replace(/^[ #]/, (character) => `\\${character}`)
    .replace(/ $/, '\\ ');

/** The template with a user's values in the place of its tokens. */
export function fillTemplate(template: string, values: TemplateValues, escape: Escape): string {
  const { userid, realm, dn = '' } = values;
  const at = userid.lastIndexOf('@');
  const domain = at < 0 ? realm : userid.slice(at + 1);
  return template.replace(/%([uUdrD1-9%])/g, (_, token: string) => {
    switch (token) {
      case '%':
        return '%';
      case 'u':
        return escape(userid);
      case 'U':
        return escape(at < 0 ? userid : userid.slice(0, at));
      case 'd':
        return escape(domain);
      case 'r':
        return escape(realm);
      case 'D':
        return escape(dn);
      default:
        return escape(domain.split('.').at(-Number(token)) ?? '');
    }
  });
}
