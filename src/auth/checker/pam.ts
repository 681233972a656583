/** One authentication by PAM, for a process that may block: modules wait, fork and may never come back. */

import { CString, dlopen, JSCallback, type Pointer, ptr, read, toArrayBuffer } from 'bun:ffi';
import type { CheckAnswer, CheckJob } from './protocol.ts';

const PAM = {
  pam_start: { args: ['ptr', 'ptr', 'ptr', 'ptr'], returns: 'i32' },
  pam_start_confdir: { args: ['ptr', 'ptr', 'ptr', 'ptr', 'ptr'], returns: 'i32' },
  pam_set_item: { args: ['u64', 'i32', 'ptr'], returns: 'i32' },
  pam_authenticate: { args: ['u64', 'i32'], returns: 'i32' },
  pam_acct_mgmt: { args: ['u64', 'i32'], returns: 'i32' },
  pam_end: { args: ['u64', 'i32'], returns: 'i32' },
  pam_strerror: { args: ['u64', 'i32'], returns: 'ptr' },
} as const;

/** PAM frees what a conversation answers, so it must come from malloc. */
const LIBC = {
  calloc: { args: ['u64', 'u64'], returns: 'ptr' },
  strdup: { args: ['ptr'], returns: 'ptr' },
} as const;

const PAM_SUCCESS = 0;
const PAM_CONV_ERR = 19;
const PAM_PROMPT_ECHO_OFF = 1;
const PAM_PROMPT_ECHO_ON = 2;
const PAM_RHOST = 4;
const PAM_SILENT = 0x8000;
const PAM_DISALLOW_NULL_AUTHTOK = 1;

/**
 * What is an answer about the user: permission denied, authentication error, credentials insufficient, user unknown, too
 * many tries, new password required, account expired, credentials expired or wrong (the numbers of Linux-PAM). Everything
 * else says that PAM itself cannot tell.
 */
const REFUSALS: ReadonlySet<number> = new Set([6, 7, 8, 10, 11, 12, 13, 15, 16, 17]);

let loaded: ReturnType<typeof load> | undefined;

function load() {
  try {
    return { pam: dlopen('libpam.so.0', PAM).symbols, libc: dlopen('libc.so.6', LIBC).symbols };
  } catch (thrown) {
    throw new Error('libpam.so.0 is not on this system: install PAM (Debian: libpam0g)', { cause: thrown });
  }
}

function cstring(text: string): Buffer {
  return Buffer.from(`${text}\0`);
}

/** Whether PAM lets this user in: pam_authenticate, then pam_acct_mgmt. */
export function checkPam(job: Extract<CheckJob, { kind: 'pam' }>): CheckAnswer {
  const { pam, libc } = loaded ??= load();
  const [service, user, password, confdir, rhost] = [
    job.service,
    job.user,
    job.password,
    job.confdir,
    job.rhost,
  ].map(cstring) as [Buffer, Buffer, Buffer, Buffer, Buffer];

  // int conv(int count, const struct pam_message **messages, struct pam_response **responses, void *data)
  const converse = new JSCallback((count: number, messages: Pointer, out: Pointer): number => {
    // struct pam_response { char *resp; int resp_retcode; }
    const responses = libc.calloc(count, 16);
    if (responses === null) return PAM_CONV_ERR;
    const slots = new BigUint64Array(toArrayBuffer(responses, 0, count * 16));
    for (let index = 0; index < count; index++) {
      // Linux-PAM: an array of pointers to struct pam_message { int style; const char *text; }
      const style = read.i32(read.ptr(messages, index * 8) as Pointer, 0);
      const answer = style === PAM_PROMPT_ECHO_OFF ? password : style === PAM_PROMPT_ECHO_ON ? user : null;
      if (answer !== null) slots[index * 2] = BigInt(libc.strdup(ptr(answer)) ?? 0);
    }
    new BigUint64Array(toArrayBuffer(out, 0, 8))[0] = BigInt(responses);
    return PAM_SUCCESS;
  }, { args: ['i32', 'ptr', 'ptr', 'ptr'], returns: 'i32' });

  try {
    // struct pam_conv { function, data }
    const conversation = new BigUint64Array([BigInt(converse.ptr ?? 0), 0n]);
    const handleOut = new BigUint64Array(1);
    const started = job.confdir === ''
      ? pam.pam_start(ptr(service), ptr(user), ptr(conversation), ptr(handleOut))
      : pam.pam_start_confdir(ptr(service), ptr(user), ptr(conversation), ptr(confdir), ptr(handleOut));
    const handle = handleOut[0] as bigint;
    const why = (code: number) => {
      const text = pam.pam_strerror(handle, code);
      return `${text === null ? 'PAM error' : new CString(text).toString()} (${code})`;
    };
    if (started !== PAM_SUCCESS) {
      return { verdict: 'error', text: `PAM service ${job.service}: ${why(started)}` };
    }
    if (job.rhost !== '') pam.pam_set_item(handle, PAM_RHOST, ptr(rhost));
    let code = pam.pam_authenticate(handle, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    if (code === PAM_SUCCESS) code = pam.pam_acct_mgmt(handle, PAM_SILENT | PAM_DISALLOW_NULL_AUTHTOK);
    const answer: CheckAnswer = code === PAM_SUCCESS ? { verdict: 'yes', text: '' } : {
      verdict: REFUSALS.has(code) ? 'no' : 'error',
      text: `PAM service ${job.service}: ${why(code)}`,
    };
    pam.pam_end(handle, code);
    return answer;
  } finally {
    converse.close();
  }
}
