/** Addresses as text. What node:net tells of them, without its sockets and streams: those cost each start milliseconds. */

const V4 = /^(?:(?:25[0-5]|2[0-4]\d|1\d\d|[1-9]?\d)(?:\.(?!$)|$)){4}$/;

/** 4 or 6 for an address, 6 also for one with a zone (`fe80::1%eth0`, RFC 4007 §11); 0 for what is none. */
export function isIP(text: string): 0 | 4 | 6 {
  if (V4.test(text)) return 4;
  return isIPv6(text) ? 6 : 0;
}

/** Whether it is an address of IPv6 (RFC 4291 §2.2). */
export function isIPv6(text: string): boolean {
  if (!text.includes(':')) return false;
  const [, address] = /^([0-9A-Fa-f:.]+)(?:%[0-9A-Za-z.:-]+)?$/.exec(text) ?? [];
  const halves = address?.split('::') ?? [];
  if (address === undefined || halves.length > 2) return false;
  let groups = 0;
  for (const [at, half] of halves.entries()) {
    if (half === '') {
      if (halves.length === 1) return false;
      continue;
    }
    const parts = half.split(':');
    // The last two groups may be written as an address of IPv4.
    if (at === halves.length - 1 && V4.test(parts.at(-1) as string)) parts.splice(-1, 1, '0', '0');
    if (!parts.every((part) => /^[0-9A-Fa-f]{1,4}$/.test(part))) return false;
    groups += parts.length;
  }
  return halves.length === 2 ? groups < 8 : groups === 8;
}
