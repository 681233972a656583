/** Users whose scripts are on another server (RFC 5804 §1.3, REFERRAL). */

/**
 * The URL of a user's server, or null where it is this one. A userid counts before its domain, that before "*".
 * @param referrals `sieve.referrals`
 */
export function referralFor(referrals: Readonly<Record<string, string>>, userid: string): string | null {
  const at = userid.lastIndexOf('@');
  const names = [userid, ...at === -1 ? [] : [userid.slice(at)], '*'];
  const named = names.find((name) => Object.hasOwn(referrals, name));
  return named === undefined ? null : referrals[named] ?? null;
}
