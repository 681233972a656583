/** Keeps the summary of the segment that is being written, and lays it beside the segment when that is complete. */
import type { Log } from '../../telemetry/log.ts';
import type { RecordHead } from '../log/record.ts';
import type { RedoLog } from '../log/redo.ts';
import { Summary, writeSummary } from '../log/summary.ts';
import { errorText } from './errortext.ts';

export class Summaries {
  private current = new Summary();

  constructor(redo: RedoLog, log: Log) {
    redo.onClosed = ({ path, lastLsn }, id) => {
      const complete = this.current;
      this.current = new Summary();
      try {
        writeSummary(path, id, lastLsn, complete);
      } catch (error) {
        log.debug('summary not written', { path, error: errorText(error) });
      }
    };
  }

  /** Takes what was appended and committed. */
  note(head: RecordHead): void {
    this.current.note(head);
  }
}
