import { spawn } from 'node:child_process';
import { constants } from 'node:os';
import type { Command } from 'commander';
import type { DebugKeyWire } from '@ingot/boot-server/admin';
import { CliError, CliErrorCode, CliExit } from '../errors.ts';
import type { CliIo } from '../io.ts';
import { withServer, withServerFlags, type ServerFlags } from './socket.ts';

interface SshFlags extends ServerFlags {
  readonly address?: string;
}

/** `ingot boot ssh`: into the discovery image of one boot, by the key that the boot server made for it. */
export function addSshCommand(boot: Command, io: CliIo, onExit: (status: number | undefined) => void): void {
  withServerFlags(
    boot
      .command('ssh')
      .description('look into the discovery image of a machine; takes agent.sshDebug, and the boot server’s host')
      .argument('<machine>', 'MAC address or UUID')
      .argument('[command...]', 'what to run there; default: a shell')
      .option('--address <address>', 'where it is; default: as the boot server knows it')
      .passThroughOptions(),
  ).action(async (machine: string, command: readonly string[], flags: SshFlags) => {
    const key = await withServer(flags, io, (server) => server.debugKey(machine));
    const address = flags.address ?? key.address;
    if (address === null)
      throw new CliError(
        CliErrorCode.NotFound,
        `the boot server does not know where ${machine} is: name its --address`,
      );
    if (!key.hostKnown)
      io.stderr(
        'ingot: the agent has not told its host key: compare what ssh shows with the line "ssh" on the console of the machine\n',
      );
    onExit(await runSsh(sshArguments(key, address, command), io));
  });
}

/** No file, agent or password of whoever calls has a part in it: this key opens, and that host key is the machine. */
function sshArguments(key: DebugKeyWire, address: string, command: readonly string[]): readonly string[] {
  const options = {
    IdentityFile: quoted(key.keyFile),
    IdentitiesOnly: 'yes',
    IdentityAgent: 'none',
    PreferredAuthentications: 'publickey',
    UserKnownHostsFile: quoted(key.hostsFile),
    GlobalKnownHostsFile: '/dev/null',
    HostKeyAlias: key.mac,
    StrictHostKeyChecking: key.hostKnown ? 'yes' : 'ask',
    UpdateHostKeys: 'no',
    ForwardAgent: 'no',
    ConnectTimeout: '10',
  };
  const flags = Object.entries(options).flatMap(([name, value]) => ['-o', `${name}=${value}`]);
  return ['-F', 'none', ...flags, '-l', 'root', '--', address, ...command];
}

/** ssh splits paths at blanks and expands `%`. */
function quoted(path: string): string {
  return `"${path.replaceAll('%', '%%')}"`;
}

/** Ends as ssh ends, which is as what it ran there ended. */
function runSsh(words: readonly string[], io: CliIo): Promise<number> {
  return new Promise((resolve, reject) => {
    const child = spawn('ssh', words, { stdio: 'inherit', env: io.env });
    // Ctrl-C is for what runs on the machine; ssh ends by itself if it is for ssh.
    const ignore = (): void => undefined;
    process.on('SIGINT', ignore);
    const settle = (): void => void process.removeListener('SIGINT', ignore);
    child.once('error', (cause) => {
      settle();
      reject(
        new CliError(CliErrorCode.File, `ssh cannot be started (${cause.message}): install openssh-client`, cause),
      );
    });
    child.once('close', (code, signal) => {
      settle();
      resolve(code ?? (signal === null ? CliExit.Failed : 128 + constants.signals[signal]));
    });
  });
}
