/** Values with a unit: sizes and durations. */

import { tomlString } from '../toml/quote.ts';
import { bad, good, type Kind, mismatch, type Parsed, shorten } from './kind.ts';

const sizeUnits = new Map<string, number>([
  ['', 1],
  ['B', 1],
  ['K', 2 ** 10],
  ['M', 2 ** 20],
  ['G', 2 ** 30],
  ['T', 2 ** 40],
]);

/**
 * A number of bytes: "64M", "2000M", "1G", or a bare number. K, M, G and T count in 1024s, with or without
 * B or iB behind them. `allowMinusOne` admits the -1 by which some options say "none".
 */
export function sizeKind(min: number, max: number, allowMinusOne = false): Kind<number> {
  const expects =
    `a size such as "64M" (K, M, G, T count in 1024s), from ${writeSize(min)} to ${writeSize(max)}` +
    (allowMinusOne ? ', or -1' : '');
  const within = (value: number): Parsed<number> => {
    if (allowMinusOne && value === -1) return good(value);
    return value >= min && value <= max ? good(value) : bad(`expected ${expects}, found ${value}`);
  };
  const read = (text: string, unit: string): Parsed<number> => {
    if (allowMinusOne && text === '-1') return good(-1);
    const match = /^(\d{1,15}) *(?:([KMGT])(?:i?B)?|(B))?$/i.exec(text);
    if (match === null) return bad(`expected ${expects}, found "${shorten(text)}"`);
    const factor = sizeUnits.get((match[2] ?? match[3] ?? unit).toUpperCase()) ?? 1;
    return within(Number(match[1]) * factor);
  };
  return {
    name: 'size',
    expects,
    fromToml(value) {
      if (typeof value === 'number' && Number.isSafeInteger(value)) return within(value);
      return typeof value === 'string' ? read(value, '') : mismatch(expects, value);
    },
    fromText: (text, unit = '') => read(text, unit),
    toToml: (value) => value < 1024 ? String(value) : tomlString(writeSize(value)),
  };
}

/** A number of bytes in the largest unit that divides it. */
export function writeSize(bytes: number): string {
  if (bytes <= 0) return String(bytes);
  for (const unit of ['T', 'G', 'M', 'K']) {
    const factor = sizeUnits.get(unit) ?? 1;
    if (bytes >= factor && bytes % factor === 0) return `${bytes / factor}${unit}`;
  }
  return String(bytes);
}

const durationUnits = new Map<string, number>([['s', 1], ['m', 60], ['h', 3600], ['d', 86400], [
  'w',
  604800,
]]);

/** Seconds. Written with units, "30m", "3d", "1h30m", so that a number never means minutes here and days there. */
export function durationKind(min: number, max: number): Kind<number> {
  const expects = `a duration such as "30m" or "3d" (s, m, h, d, w), from ${writeDuration(min)} to ${
    writeDuration(max)
  }`;
  const read = (text: string, unit: string): Parsed<number> => {
    const whole = /^\d{1,12}$/.test(text) ? `${text}${unit}` : text;
    if (text !== '0' && !/^(?:\d{1,12}[smhdw])+$/.test(whole)) {
      return bad(`expected ${expects}, found "${shorten(text)}"`);
    }
    let seconds = 0;
    for (const part of whole.matchAll(/(\d+)([smhdw])/g)) {
      seconds += Number(part[1]) * (durationUnits.get(part[2] ?? '') ?? 0);
    }
    return seconds >= min && seconds <= max
      ? good(seconds)
      : bad(`expected ${expects}, found "${shorten(text)}"`);
  };
  return {
    name: 'duration',
    expects,
    fromToml: (value) => {
      if (value === 0) return read('0', '');
      return typeof value === 'string' ? read(value, '') : mismatch(expects, value);
    },
    fromText: (text, unit = '') => read(text, unit),
    toToml: (value) => tomlString(writeDuration(value)),
  };
}

/** Seconds in the largest unit that divides them. */
export function writeDuration(seconds: number): string {
  if (seconds === 0) return '0s';
  for (const unit of ['d', 'h', 'm']) {
    const factor = durationUnits.get(unit) ?? 1;
    if (seconds % factor === 0) return `${seconds / factor}${unit}`;
  }
  return `${seconds}s`;
}
