/** Plays every transcript of tests/transcripts/imap. */

import { test } from 'bun:test';
import { readdirSync } from 'node:fs';
import { join } from 'node:path';
import { playTranscript } from './transcript.ts';

const FOLDER = join(import.meta.dir, '../transcripts/imap');

for (const file of readdirSync(FOLDER).filter((name) => name.endsWith('.txt')).sort()) {
  test(file.replace(/\.txt$/, ''), () => playTranscript(join(FOLDER, file)));
}
