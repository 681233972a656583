/** Exit codes of sysexits(3), which Postfix and systemd understand. */

export const EX_OK = 0;
/** The command line is wrong. */
export const EX_USAGE = 64;
/** Input data is wrong. */
export const EX_DATAERR = 65;
/** An input file is not there or cannot be read. */
export const EX_NOINPUT = 66;
export const EX_NOUSER = 67;
export const EX_UNAVAILABLE = 69;
export const EX_SOFTWARE = 70;
export const EX_OSERR = 71;
export const EX_CANTCREAT = 73;
export const EX_IOERR = 74;
/** Try again later. */
export const EX_TEMPFAIL = 75;
export const EX_NOPERM = 77;
/** The configuration is wrong. */
export const EX_CONFIG = 78;
