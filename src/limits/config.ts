import { rows } from './limit.ts';

/** Config: what a configuration file may be. */
export const configLimits = rows({
  config_file: {
    value: 1 << 20,
    unit: 'bytes',
    reason: 'the sample with every option has 20 KB; whatever is larger was meant for someone else',
    onExcess: 'the file is refused by name, the server does not start',
  },
  config_includes: {
    value: 64,
    unit: 'count',
    reason: 'files one imapd.conf may pull in by @include',
    onExcess: 'the line with the @include beyond it is refused',
  },
  config_toml_depth: {
    value: 16,
    unit: 'levels',
    reason: 'arrays and inline tables inside each other; three levels are used',
    onExcess: 'the file is refused with the line',
  },
  config_findings: {
    value: 200,
    unit: 'count',
    reason: 'a file that is wrong from top to bottom would fill the journal',
    onExcess: 'the first ones are printed, then how many more there are',
  },
});
