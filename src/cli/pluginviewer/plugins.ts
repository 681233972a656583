/** Lists of mechanisms and sources of secrets, written as Cyrus SASL's pluginviewer writes those of its plugins. */

/** The version of Cyrus SASL's plugin interface that its lists name; programs that read them expect one. */
const API_VERSION = 4;

/** What the lists tell of a mechanism of either side. */
export interface ListedMechanism {
  readonly name: string;
  readonly strength: number;
  readonly security: readonly string[];
  readonly features: readonly string[];
}

/** The name of the plugin Cyrus SASL has a mechanism in. */
export function pluginName(mechanism: string): string {
  if (mechanism === 'EXTERNAL') return mechanism;
  if (mechanism.startsWith('SCRAM-')) return 'scram';
  return mechanism.toLowerCase().replaceAll('-', '');
}

/** The part of `-s` or `-c`. A mechanism of ours takes no passwords to store, so "supports setpass" is always no. */
export function listMechanisms(side: 'server' | 'client', mechanisms: readonly ListedMechanism[]): string {
  const setpass = side === 'server' ? ', supports setpass: no' : '';
  const lines = [
    `Installed SASL (${side} side) mechanisms are:`,
    mechanisms.map(({ name }) => name).join(' '),
    `List of ${side} plugins follows`,
    ...mechanisms.flatMap(({ name, strength, security, features }) => [
      `Plugin "${pluginName(name)}" [loaded], \tAPI version: ${API_VERSION}`,
      `\tSASL mechanism: ${name}, best SSF: ${strength}${setpass}`,
      `\tsecurity flags: ${security.join('|')}`.trimEnd(),
      `\tfeatures: ${features.join('|')}`.trimEnd(),
    ]),
  ];
  return `${lines.join('\n')}\n`;
}

/**
 * The part of `-a`. The store's own users are the only ones it could add.
 * @param methods ways to check a password, which Cyrus SASL does not list
 */
export function listSources(names: readonly string[], methods: readonly string[]): string {
  const lines = [
    'Installed auxprop mechanisms are:',
    names.join(' '),
    'List of auxprop plugins follows',
    ...names.flatMap((name) => [
      `Plugin "${name}" , \tAPI version: ${API_VERSION}`,
      `\tsupports store: ${name === 'sasldb' ? 'yes' : 'no'}`,
    ]),
    'Ways to check a password (sasl_pwcheck_method) are:',
    methods.join(' '),
  ];
  return `${lines.join('\n')}\n`;
}
