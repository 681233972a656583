/** Scripts and messages as files of the command line; `-` is standard input. */

import { readFileSync } from 'node:fs';
import { basename } from 'node:path';
import { limits } from '../../limits.ts';
import type { Compiled, CompileOptions } from '../../sieve/compile.ts';
import type { Diagnostic } from '../../sieve/diagnostic.ts';
import { compile } from '../../sieve/extensions.ts';
import { bytesToOctets } from '../../sieve/octets.ts';
import type { CommandIo } from '../command.ts';
import { EX_NOINPUT } from '../sysexits.ts';
import { printable } from '../table.ts';

/** A file that cannot be read ends the command with EX_NOINPUT. */
export class Unreadable extends Error {
  readonly code = EX_NOINPUT;
}

/** The bytes of a file. Throws Unreadable. */
export async function readInput(path: string, io: CommandIo): Promise<Uint8Array> {
  try {
    return path === '-' ? await new Response(io.stdin).bytes() : readFileSync(path);
  } catch (thrown) {
    throw new Unreadable(`${path}: ${thrown instanceof Error ? thrown.message : String(thrown)}`);
  }
}

export interface ScriptFile {
  readonly path: string;
  readonly compiled: Compiled;
}

/** Reads and compiles a script. */
export async function compileFile(
  path: string,
  options: CompileOptions,
  io: CommandIo,
): Promise<ScriptFile> {
  const source = bytesToOctets(await readInput(path, io));
  const name = path === '-' ? 'standard input' : basename(path).replace(/\.(?:sieve|script)$/, '');
  const compiled = compile(source, {
    name,
    maxErrors: limits.sieve_errors.value,
    ...options,
  });
  return { path, compiled };
}

/** `FILE:3:7: error: …`, as editors and other tools take it; what a script says in it moves no cursor. */
export function located(path: string, { severity, line, column, text }: Diagnostic): string {
  return `${printable(path)}:${line}:${column}: ${severity}: ${printable(text)}\n`;
}
