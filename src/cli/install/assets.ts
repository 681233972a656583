/** The texts that `install` puts in place, built into the executable. */

import configText from '../../../config/mailstore.toml' with { type: 'text' };
import serviceText from '../../../systemd/mailstore.service' with { type: 'text' };
import sysusersText from '../../../systemd/mailstore.sysusers.conf' with { type: 'text' };
import tmpfilesText from '../../../systemd/mailstore.tmpfiles.conf' with { type: 'text' };

/** The commented configuration with every option. */
export const sampleConfig: string = configText;

/** The systemd unit for an executable at `binary`. */
export function serviceUnit(binary: string): string {
  return serviceText.replaceAll('/usr/local/bin/mailstore', binary);
}

export const sysusers: string = sysusersText;
export const tmpfiles: string = tmpfilesText;
