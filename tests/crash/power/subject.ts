/** A recording with its rightful states as a file, for the processes that open its images. */
import { readFileSync, writeFileSync } from 'node:fs';
import { deserialize, serialize } from 'node:v8';
import type { Operation } from './operation.ts';
import type { Subject } from './states.ts';

/** Writes it down. */
export function saveSubject(subject: Subject, path: string): void {
  writeFileSync(path, serialize(subject));
}

/** Reads it back; the bytes of all writes share the memory of the file. */
export function loadSubject(path: string): Subject {
  const subject = deserialize(readFileSync(path)) as Subject;
  const operations = subject.recording.operations.map((operation): Operation => {
    const { change } = operation;
    if (change.kind !== 'data') return operation;
    const { buffer, byteOffset, length } = change.bytes;
    return { ...operation, change: { ...change, bytes: Buffer.from(buffer, byteOffset, length) } };
  });
  return { ...subject, recording: { ...subject.recording, operations } };
}
