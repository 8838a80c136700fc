import { existsSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { isAbsolute, join } from 'node:path';
import type { Command } from 'commander';
import type { AdminClient } from '@ingot/boot-server/admin';
import { CliError, CliErrorCode } from '../errors.ts';
import type { CliIo } from '../io.ts';
import { quickSockets } from './quick-folder.ts';

/** The flags that say which boot server is meant. */
export interface ServerFlags {
  readonly socket?: string;
  readonly config?: string;
}

/** Where the systemd unit has them. */
const UNIT_CONFIG = '/etc/ingot/boot-server.yaml';
const UNIT_SOCKET = '/var/lib/ingot-boot-server/admin.sock';
const SOCKET_VARIABLE = 'INGOT_BOOT_SERVER_ADMIN_SOCKET';

/** Adds the flags that say which boot server is meant. */
export function withServerFlags(command: Command): Command {
  return command
    .optionsGroup('Boot server:')
    .option('--socket <file>', `its admin socket (${SOCKET_VARIABLE})`)
    .option('--config <file>', `its configuration, which names the socket; default: ${UNIT_CONFIG}`);
}

/** Runs `use` with the running boot server. Throws CliError. */
export async function withServer<T>(
  flags: ServerFlags,
  io: CliIo,
  use: (server: AdminClient) => Promise<T>,
): Promise<T> {
  const { adminClient } = await import('@ingot/boot-server/admin');
  const client = adminClient(await findSocket(flags, io));
  return explained(use(client));
}

/** Puts an error of the boot server into the command's words. */
export async function explained<T>(work: Promise<T>): Promise<T> {
  const { BootServerError, BootServerErrorCode } = await import('@ingot/boot-server/admin');
  try {
    return await work;
  } catch (error) {
    if (!(error instanceof BootServerError)) throw error;
    const isAway = error.code === BootServerErrorCode.AdminAway;
    throw new CliError(isAway ? CliErrorCode.Unreachable : CliErrorCode.Refused, error.message, error);
  }
}

async function findSocket({ socket, config }: ServerFlags, io: CliIo): Promise<string> {
  const named = socket ?? (config === undefined ? io.env[SOCKET_VARIABLE] : undefined);
  if (named !== undefined) return isAbsolute(named) ? named : join(process.cwd(), named);
  const file = config ?? (existsSync(UNIT_CONFIG) ? UNIT_CONFIG : undefined);
  if (file === undefined) return existsSync(UNIT_SOCKET) ? UNIT_SOCKET : theQuickSocket();
  const { admin, dataDir } = await loadServerConfig(file, io);
  return admin.socket ?? join(dataDir, 'admin.sock');
}

/** That of the `ingot boot kernel` or the like that runs here; without one, where a boot server's would be. */
function theQuickSocket(): string {
  const [socket = UNIT_SOCKET, ...others] = quickSockets(tmpdir());
  if (others.length === 0) return socket;
  throw new CliError(
    CliErrorCode.Argument,
    `several run here: say which with --socket ${[socket, ...others].join(', or --socket ')}`,
  );
}

/** The configuration of a boot server. Throws CliError with all that is wrong with it. */
export async function loadServerConfig(
  file: string,
  io: CliIo,
): Promise<import('@ingot/boot-server').BootServerConfig> {
  const [{ loadConfig }, { bootServerConfig }] = await Promise.all([
    import('@ingot/daemon'),
    import('@ingot/boot-server'),
  ]);
  const loaded = await loadConfig(bootServerConfig, { argv: ['--config', file], env: io.env });
  if (loaded.kind === 'config') return loaded.config;
  throw new CliError(CliErrorCode.Config, loaded.kind === 'error' ? loaded.error.message : loaded.text);
}
