/** The server itself: what an administrator or systemd starts. */

import { formatFinding } from '../../config/finding.ts';
import { asMailError } from '../../errors.ts';
import { createLog, logLevel } from '../../telemetry/log.ts';
import { openNotifier } from '../../server/notify.ts';
import { selfCommand } from '../../server/self.ts';
import { startServer, StoppedEarly } from '../../server/start.ts';
import { version } from '../../version.ts';
import { configArguments, configUsage, parseArgs, settingsFrom, usageError } from '../options.ts';
import { EX_CONFIG, EX_DATAERR, EX_OK, EX_OSERR, EX_SOFTWARE } from '../sysexits.ts';

const usage = `Usage: mailstore serve [-c FILE | -C FILE [-M FILE]]

Runs the mail store in the foreground until SIGTERM or SIGINT. SIGHUP reads certificates and the log level again.
Started as root it makes missing folders, binds the ports and changes to the configured user.

${configUsage}  --allow-network-filesystem
                          start although the store lies on NFS, SMB, FUSE or the like
  -h, --help              this text
`;

const serveArguments = {
  config: configArguments.config,
  imapdConf: configArguments.imapdConf,
  cyrusConf: configArguments.cyrusConf,
  help: configArguments.help,
  allowNetworkFilesystem: {},
} as const;

/** Runs the server until it is asked to stop; resolves to the exit code. */
export async function runServer(args: readonly string[]): Promise<number> {
  const { options, operands } = parseArgs(args, serveArguments);
  if (options.help) {
    process.stdout.write(usage);
    return EX_OK;
  }
  if (operands.length > 0) throw usageError(`serve takes no "${operands[0]}"`);

  const { settings, warnings } = settingsFrom(options);
  const log = createLog({ level: logLevel(settings.loglevel) });
  for (const warning of warnings) log.warn('configuration', { finding: formatFinding(warning) });
  log.info('starting', { version, pid: process.pid });

  const stopped = Promise.withResolvers<void>();
  process.on('SIGTERM', () => stopped.resolve());
  process.on('SIGINT', () => stopped.resolve());
  let reload: (() => void) | undefined;
  process.on('SIGHUP', () => reload?.());
  try {
    const server = await startServer({
      settings,
      load: () => settingsFrom(options).settings,
      command: selfCommand(),
      log,
      notifier: openNotifier(),
      allowNetworkFilesystem: options.allowNetworkFilesystem,
      stopAsked: stopped.promise,
    });
    reload = () => server.reload();
    await Promise.race([stopped.promise, server.supervisor.failed]).finally(() => server.stop());
    log.info('stopped');
    return EX_OK;
  } catch (thrown) {
    if (thrown instanceof StoppedEarly) {
      log.info('stopped while starting');
      return EX_OK;
    }
    const error = asMailError(thrown);
    log.error('cannot serve', { code: error.code, error });
    switch (error.code) {
      case 'config':
        return EX_CONFIG;
      case 'corruption':
        return EX_DATAERR;
      case 'serverbug':
        return EX_SOFTWARE;
      default:
        return EX_OSERR;
    }
  } finally {
    log.flush();
  }
}
