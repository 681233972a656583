/** Reading an owner's message files so that they can be adopted into a new index. */
import { readFileSync, statSync } from 'node:fs';
import { basename, relative } from 'node:path';
import { parseMessage } from '../../mime/message.ts';
import { messageFiles } from '../check/spool.ts';
import type { AdoptedMessage } from '../writer/requests.ts';

/** Files adopted by one change: the work of a few milliseconds for the writer. */
const SLICE = 100;

export interface FoundSlice {
  messages: AdoptedMessage[];
  structures: Uint8Array[];
}

/**
 * The messages of an owner's folder in one partition, oldest first, in slices. The date of a file is the best guess of its
 * internal date. `damaged` hears of files whose bytes are not those their name was made from; they are adopted as they are.
 * @param wanted other files are not read
 */
export function* foundMessages(
  partition: string,
  folder: string,
  damaged: (path: string) => void,
  wanted: (path: string) => boolean = () => true,
): IterableIterator<FoundSlice> {
  const files = [...messageFiles(folder)].filter(wanted).map((path) => ({
    path,
    mtime: statSync(path).mtimeMs,
  }))
    .sort((a, b) => a.mtime - b.mtime || (a.path < b.path ? -1 : 1));
  for (let at = 0; at < files.length; at += SLICE) {
    const slice: FoundSlice = { messages: [], structures: [] };
    for (const { path, mtime } of files.slice(at, at + SLICE)) {
      const bytes = readFileSync(path);
      const hash = new Bun.CryptoHasher('sha256').update(bytes).digest('hex');
      const file = relative(folder, path);
      if (!basename(file).startsWith(hash.slice(0, 40))) damaged(path);
      const parsed = parseMessage(bytes);
      slice.structures.push(parsed.structure);
      slice.messages.push({
        partition,
        file,
        internaldate: Math.floor(mtime / 1000),
        hash,
        size: bytes.length,
        headerSize: parsed.headerSize,
        envelope: parsed.envelope,
        bodystructure: parsed.bodystructure,
        messageId: parsed.messageId,
        sentDate: parsed.sentDate,
        thread: parsed.thread,
        stage: null,
      });
    }
    yield slice;
  }
}
