import { listKind } from '../kinds/collection.ts';
import { bad, type Kind } from '../kinds/kind.ts';
import { choiceKind, switchKind } from '../kinds/plain.ts';
import { imapd, option } from '../option.ts';

/** The SASL mechanisms there are. */
export const mechanismsThere: readonly string[] = ['PLAIN', 'LOGIN'];

/** A choice with a single word so far, which says that the others are not there rather than that they are wrong. */
function onlyKind<const W extends string>(word: W): Kind<W> {
  const kind = choiceKind([word]);
  const notThere = (text: string) => bad(`"${text.slice(0, 60)}" is not there yet; there is "${word}"`);
  return {
    ...kind,
    fromToml: (value) => typeof value === 'string' && value !== word ? notThere(value) : kind.fromToml(value),
    fromText: (text) => text.toLowerCase() === word ? kind.fromText(text) : notThere(text),
  };
}

/** Who may log in, and how. */
export const authOptions = {
  allowplaintext: option({
    toml: 'auth.allowplaintext',
    kind: switchKind(),
    default: false,
    imapd: imapd('allowplaintext'),
    doc: 'Allow passwords in clear text on connections without TLS.',
  }),
  allowanonymouslogin: option({
    toml: 'auth.allowanonymouslogin',
    kind: switchKind(),
    default: false,
    imapd: imapd('allowanonymouslogin'),
    doc: 'Logins without a password. Only false: anonymous login is not there yet.',
    check: (value) => value ? 'anonymous login is not there yet; set it to no' : undefined,
    authentication: true,
  }),
  sasl_mech_list: option({
    toml: 'auth.sasl_mech_list',
    kind: listKind({ separator: /[\s,]+/, item: 'SASL mechanisms', upperCase: true }),
    default: mechanismsThere,
    imapd: imapd('sasl_mech_list'),
    doc: 'The SASL mechanisms offered. There are PLAIN and LOGIN.',
    check(value) {
      const missing = value.filter((mechanism) => !mechanismsThere.includes(mechanism));
      if (missing.length > 0) {
        return `${missing.join(', ')}: not there yet; there are ${mechanismsThere.join(' and ')}`;
      }
      return value.length === 0 ? 'at least one mechanism is needed' : undefined;
    },
    available: (value) => {
      const there = value.filter((mechanism) => mechanismsThere.includes(mechanism));
      return there.length > 0 ? there : mechanismsThere;
    },
    authentication: true,
  }),
  sasl_pwcheck_method: option({
    toml: 'auth.sasl_pwcheck_method',
    kind: onlyKind('auxprop'),
    default: 'auxprop',
    imapd: imapd('sasl_pwcheck_method'),
    doc: 'How passwords are checked: "auxprop" against secrets the server reads itself.',
    authentication: true,
  }),
  sasl_auxprop_plugin: option({
    toml: 'auth.sasl_auxprop_plugin',
    kind: onlyKind('sasldb'),
    default: 'sasldb',
    imapd: imapd('sasl_auxprop_plugin'),
    doc: 'Where the secrets are: "sasldb" is the store\'s own database, kept by "mailstore user".',
    authentication: true,
  }),
};
