/** Debian's slapd as the how-to sets it up, in a folder of its own: the files are the how-to's, word for word. */

import { type ChildProcess, spawn } from 'node:child_process';
import { chmodSync, mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { setTimeout as sleep } from 'node:timers/promises';
import { succeed } from './command.ts';
import { crowdLdif, feed } from './crowd.ts';
import { freePorts } from './ports.ts';
import { gone } from './processes.ts';

export const SUFFIX = 'dc=nausch,dc=org';
export const MANAGER = { dn: `cn=Manager,${SUFFIX}`, password: 'manager' };
export const TECHNICAL = { id: 'SASLAuthenticationUser', password: 'Klausi-is-a-G33k!' };
const CONFIG_PASSWORD = 'config';
/** A directory that does not answer by then is broken. */
const START_LIMIT_MS = 15_000;

export interface DirectoryOptions {
  /** People by uid, with their password as it is stored. */
  readonly people: Readonly<Record<string, string>>;
  /** So many people more (`crowd.ts`). */
  readonly crowd?: number;
  /** Leaves a step of the how-to out. */
  readonly without?: 'authzTo' | 'access';
  /** Files of a certificate: StartTLS and ldaps are there. */
  readonly certificate?: { readonly cert: string; readonly key: string };
}

export class TestDirectory {
  readonly dir: string;
  readonly port: number;
  readonly tlsPort: number;
  readonly socket: string;
  #child: ChildProcess | undefined;

  private constructor(dir: string, port: number, tlsPort: number) {
    this.dir = dir;
    this.port = port;
    this.tlsPort = tlsPort;
    this.socket = join(dir, 'ldapi');
  }

  get uri(): string {
    return `ldap://127.0.0.1:${this.port}`;
  }

  get ldapi(): string {
    return `ldapi://${encodeURIComponent(this.socket)}`;
  }

  static async start(options: DirectoryOptions): Promise<TestDirectory> {
    const dir = mkdtempSync(join(tmpdir(), 'mailstore-slapd-'));
    chmodSync(dir, 0o755);
    const [port = 0, tlsPort = 0] = await freePorts(2);
    const directory = new TestDirectory(dir, port, tlsPort);
    try {
      await directory.#make(options);
      await directory.run();
      await directory.#configure(options);
    } catch (error) {
      await directory.dispose();
      throw error;
    }
    return directory;
  }

  /** Process id of slapd. */
  get pid(): number {
    const pid = this.#child?.pid;
    if (pid === undefined) throw new Error('slapd is not running');
    return pid;
  }

  /** Starts slapd; resolves once it accepts connections. */
  async run(): Promise<void> {
    const urls = `${this.uri}/ ${this.ldapi} ldaps://127.0.0.1:${this.tlsPort}/`;
    // -d keeps it in the foreground.
    const child = spawn('/usr/sbin/slapd', ['-F', join(this.dir, 'slapd.d'), '-h', urls, '-d', 'none'], {
      stdio: 'ignore',
    });
    this.#child = child;
    const begun = performance.now();
    while (performance.now() - begun < START_LIMIT_MS && child.exitCode === null) {
      if (await accepts(this.port)) return;
      await sleep(10);
    }
    throw new Error('slapd does not answer');
  }

  /** Stops slapd and waits for its end; `run` starts it again. */
  async stop(): Promise<void> {
    const child = this.#child;
    this.#child = undefined;
    if (child?.pid === undefined || child.exitCode !== null) return;
    child.kill('SIGCONT');
    child.kill('SIGTERM');
    await gone([child.pid]);
  }

  /** Makes slapd take connections and answer nothing, until `thaw`. */
  freeze(): void {
    this.#child?.kill('SIGSTOP');
  }

  thaw(): void {
    this.#child?.kill('SIGCONT');
  }

  async dispose(): Promise<void> {
    await this.stop();
    rmSync(this.dir, { recursive: true, force: true });
  }

  /** Applies an LDIF as the manager of the people, or of the configuration. */
  async modify(ldif: string, as: 'manager' | 'config' = 'manager'): Promise<void> {
    const [dn, password] = as === 'manager' ? [MANAGER.dn, MANAGER.password] : ['cn=config', CONFIG_PASSWORD];
    await succeed('ldapmodify', ['-x', '-H', this.uri, '-D', dn, '-w', password], { input: ldif });
  }

  /** The directory before anything of SASL: the database, the people, the six access rules the how-to begins with. */
  async #make({ people, certificate, crowd = 0 }: DirectoryOptions): Promise<void> {
    const tls = certificate === undefined
      ? ''
      : `olcTLSCertificateFile: ${certificate.cert}\nolcTLSCertificateKeyFile: ${certificate.key}\n`;
    mkdirSync(join(this.dir, 'slapd.d'));
    mkdirSync(join(this.dir, 'data'));
    const config = `dn: cn=config
objectClass: olcGlobal
cn: config
olcPidFile: ${this.dir}/slapd.pid
olcAuthzPolicy: none
${tls}
dn: cn=module{0},cn=config
objectClass: olcModuleList
cn: module{0}
olcModulePath: /usr/lib/ldap
olcModuleLoad: back_mdb

dn: cn=schema,cn=config
objectClass: olcSchemaConfig
cn: schema

include: file:///etc/ldap/schema/core.ldif
include: file:///etc/ldap/schema/cosine.ldif
include: file:///etc/ldap/schema/inetorgperson.ldif
include: file:///etc/ldap/schema/nis.ldif

dn: olcDatabase={-1}frontend,cn=config
objectClass: olcDatabaseConfig
objectClass: olcFrontendConfig
olcDatabase: {-1}frontend
olcPasswordHash: {SSHA}
${RULES_BEFORE}
dn: olcDatabase={0}config,cn=config
objectClass: olcDatabaseConfig
olcDatabase: {0}config
olcRootDN: cn=config
olcRootPW: ${CONFIG_PASSWORD}
olcAccess: to * by * none

dn: olcDatabase={1}mdb,cn=config
objectClass: olcDatabaseConfig
objectClass: olcMdbConfig
olcDatabase: {1}mdb
olcSuffix: ${SUFFIX}
olcRootDN: ${MANAGER.dn}
olcRootPW: ${MANAGER.password}
olcDbDirectory: ${this.dir}/data
olcDbMaxSize: ${(100 << 20) + 8192 * crowd}
olcDbIndex: objectClass,uid,member eq
`;
    await this.#add('0', config);
    const entries = Object.entries(people).map(([uid, password]) =>
      `dn: uid=${uid},ou=People,${SUFFIX}
objectClass: inetOrgPerson
uid: ${uid}
cn: ${uid}
sn: ${uid}
userPassword: ${password}
`
    );
    await this.#add('1', [...TREE, ...entries].join('\n'));
    if (crowd > 0) {
      await feed('/usr/sbin/slapadd', [
        '-q',
        ...['-F', join(this.dir, 'slapd.d'), '-n', '1'],
      ], crowdLdif(crowd, SUFFIX));
    }
  }

  /** The how-to's steps, in its order. */
  async #configure({ without }: DirectoryOptions): Promise<void> {
    await this.modify(PASSWORD_HASH, 'config');
    // "Bevor wir … übertragen können, ist es notwendig den Daemon zu stoppen."
    await this.stop();
    const user = without === 'authzTo' ? TECHNICAL_USER.replace(/^authzTo:.*\n/m, '') : TECHNICAL_USER;
    await this.#add('1', user);
    await this.run();
    await this.modify(AUTHZ_REGEXP, 'config');
    await this.modify(AUTHZ_POLICY, 'config');
    if (without !== 'access') await this.modify(ACCESS_RIGHTS, 'config');
    else await this.modify(ACCESS_RIGHTS.replaceAll('  by self write', ''), 'config');
  }

  async #add(database: string, ldif: string): Promise<void> {
    const file = join(this.dir, 'add.ldif');
    writeFileSync(file, ldif);
    await succeed('/usr/sbin/slapadd', ['-q', '-F', join(this.dir, 'slapd.d'), '-n', database, '-l', file]);
  }
}

const TREE = [
  `dn: ${SUFFIX}
objectClass: dcObject
objectClass: organization
dc: nausch
o: nausch.org
`,
  `dn: ou=People,${SUFFIX}
objectClass: organizationalUnit
ou: People
`,
  `dn: ou=Group,${SUFFIX}
objectClass: organizationalUnit
ou: Group
`,
];

const RULES_BEFORE = [
  'to attrs=userPassword,shadowLastChange,shadowMax,shadowWarning  by self write  by dn="cn=Manager,dc=nausch,dc=org" write  by dn="cn=Technischeruser,dc=nausch,dc=org" read  by anonymous auth  by * none',
  'to dn="cn=Manager,dc=nausch,dc=org"  by self write  by * none',
  'to dn="cn=Technischeruser,dc=nausch,dc=org"  by self write  by dn="cn=Manager,dc=nausch,dc=org" write  by * none',
  'to dn.regex="cn=([^,]+),ou=Group,dc=nausch,dc=org"  by self write  by dn="cn=Manager,dc=nausch,dc=org" write  by dn="cn=Technischeruser,dc=nausch,dc=org" read  by dn.exact,expand="uid=$1,ou=People,dc=nausch,dc=org" read  by * none',
  'to dn.regex="uid=([^,]+),ou=People,dc=nausch,dc=org"  by self write  by dn="cn=Manager,dc=nausch,dc=org" write  by dn="cn=Technischeruser,dc=nausch,dc=org" read  by dn.exact,expand="uid=$1,ou=People,dc=nausch,dc=org" read  by * none',
  'to *  by self write  by dn.base="cn=manager,dc=nausch,dc=org" write  by * read',
].map((rule, index) => `olcAccess: {${index}}${rule}\n`).join('');

const PASSWORD_HASH = `dn: olcDatabase={-1}frontend,cn=config
delete: olcPasswordHash
olcPasswordHash: {SSHA}
-
add: olcPasswordHash
olcPasswordHash: {CLEARTEXT}
`;

const TECHNICAL_USER = `dn: uid=SASLAuthenticationUser,dc=nausch,dc=org
cn: SASLAuthenticationUser
sn: SASLAuthenticationUser
uid: SASLAuthenticationUser
objectClass: inetOrgPerson
objectClass: simpleSecurityObject
objectClass: top
userPassword: Klausi-is-a-G33k!
structuralObjectClass: inetOrgPerson
authzTo: ldap:///dc=nausch,dc=org??sub?(objectClass=*)
`;

const AUTHZ_REGEXP = `dn: cn=config
changetype: modify
add: olcAuthzRegexp
olcAuthzRegexp: uid=([^,@]*) ldap:///dc=nausch,dc=org??sub?(&(uid=$1)(objectClass=*))
`;

const AUTHZ_POLICY = `dn: cn=config
changetype: modify
delete: olcAuthzPolicy
olcAuthzPolicy: none
-
add: olcAuthzPolicy
olcAuthzPolicy: to
`;

const ACCESS_RIGHTS = `dn: olcDatabase={-1}frontend,cn=config
delete: olcAccess
olcAccess: {0}
olcAccess: {1}
olcAccess: {2}
olcAccess: {3}
olcAccess: {4}
olcAccess: {5}
-
add: olcAccess
olcAccess: to attrs=userPassword,shadowLastChange,shadowMax,shadowWarning  by self write  by dn="cn=Manager,dc=nausch,dc=org" write  by dn="cn=Technischeruser,dc=nausch,dc=org" read  by dn="uid=SASLAuthenticationUser,dc=nausch,dc=org" read  by anonymous auth  by * none
olcAccess: to dn="cn=Manager,dc=nausch,dc=org"  by self write  by * none
olcAccess: to dn="cn=Technischeruser,dc=nausch,dc=org"  by self write  by dn="cn=Manager,dc=nausch,dc=org" write  by * none
olcAccess: to dn="uid=SASLAuthenticationUser,dc=nausch,dc=org"  by self write  by dn="cn=Manager,dc=nausch,dc=org" write  by * auth
olcAccess: to dn.regex="cn=([^,]+),ou=Group,dc=nausch,dc=org"  by self write  by dn="cn=Manager,dc=nausch,dc=org" write  by dn="cn=Technischeruser,dc=nausch,dc=org" read  by dn="uid=SASLAuthenticationUser,dc=nausch,dc=org" read  by dn.exact,expand="uid=$1,ou=People,dc=nausch,dc=org" read  by * none
olcAccess: to dn.regex="uid=([^,]+),ou=People,dc=nausch,dc=org"  by self write  by dn="cn=Manager,dc=nausch,dc=org" write  by dn="cn=Technischeruser,dc=nausch,dc=org" read  by dn="uid=SASLAuthenticationUser,dc=nausch,dc=org" read  by dn.exact,expand="uid=$1,ou=People,dc=nausch,dc=org" read  by * none
olcAccess: to *  by self write  by dn.base="cn=manager,dc=nausch,dc=org" write  by * read
`;

function accepts(port: number): Promise<boolean> {
  return new Promise((resolve) => {
    const socket = connect(port, '127.0.0.1');
    socket.once('connect', () => resolve(true));
    socket.once('error', () => resolve(false));
    socket.once('close', () => socket.destroy());
    socket.once('connect', () => socket.destroy());
  });
}
