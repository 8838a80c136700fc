import type { Command } from 'commander';
import type { CliIo } from '../io.ts';
import { withServer, withServerFlags, type ServerFlags } from './socket.ts';

/** `ingot boot reload`: as SIGHUP, and says what came of it. */
export function addReloadCommand(boot: Command, io: CliIo): void {
  withServerFlags(
    boot.command('reload').description('let the server read its configuration again; a wrong one is refused'),
  ).action(async (flags: ServerFlags) => {
    const { taken, needsRestart } = await withServer(flags, io, (server) => server.reload());
    const what = taken.length > 0 ? `; these count from now on: ${taken.join(', ')}` : '';
    io.stdout(`the configuration was read again${what}\n`);
    if (needsRestart.length > 0)
      io.stderr(`ingot: these changed and count only after a restart: ${needsRestart.join(', ')}\n`);
  });
}
