export { runCli } from './cli.ts';
export { CliError, CliErrorCode, CliExit } from './errors.ts';
export type { CliIo } from './io.ts';
