import type { Command } from 'commander';
import { call, withApi } from './api.ts';
import type { ContextFlags } from './context.ts';
import { CliError, CliErrorCode } from './errors.ts';
import type { CliIo } from './io.ts';
import { withApiFlags } from './options.ts';
import { ingotVersion } from './version.ts';

/** `ingot version`: this program's, and the API server's where one is known. */
export function addVersionCommand(program: Command, io: CliIo): void {
  withApiFlags(
    program.command('version').description('print the versions of this program and of the API server'),
  ).action(async (flags: ContextFlags) => {
    io.stdout(`ingot ${ingotVersion} (Node ${process.versions.node})\n`);
    try {
      const { version } = await withApi(flags, io, (api) => api.version.get({}, call));
      io.stdout(
        `API server ${[version?.version, version?.gitSha1].filter(Boolean).join(' ') || 'of unknown version'}\n`,
      );
    } catch (error) {
      // Without a server there is nothing to say about its version.
      if (!(error instanceof CliError) || error.code !== CliErrorCode.NoContext) throw error;
    }
  });
}
