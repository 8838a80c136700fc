import { createConnection } from 'node:net';
import { text } from 'node:stream/consumers';
import { parseArgs } from 'node:util';
import type { CommandSurroundings } from '../command-surroundings.ts';
import { STATUS_SOCKET } from '../config.ts';
import { reasonOf } from '../errors.ts';
import { ExitStatus } from '../exit-status.ts';
import { needsAttention, printStatus } from './print-status.ts';
import { parseSwitchStatus, type SwitchStatus } from './status.ts';

const USAGE = `ingot-switch status [--json] [--socket FILE]

Prints how the daemon and its switch are: asks the daemon, and neither the API nor SONiC's databases.

  --json         for programs
  --socket FILE  where the daemon answers (its setting statusSocket); default ${STATUS_SOCKET}

Status: 0 all is well, 1 something is wrong, 2 the daemon does not answer.
`;

const TIMEOUT_MS = 5000;

/** `ingot-switch status`; resolves to the exit status. */
export async function statusCommand(args: readonly string[], surroundings: CommandSurroundings): Promise<number> {
  const { out, err, signal } = surroundings;
  let flags;
  try {
    flags = parseArgs({
      args: [...args],
      options: { json: { type: 'boolean' }, socket: { type: 'string' }, help: { type: 'boolean', short: 'h' } },
    }).values;
  } catch (error) {
    err(`ingot-switch status: ${reasonOf(error)}\n\n${USAGE}`);
    return ExitStatus.Failed;
  }
  if (flags.help === true) {
    out(USAGE);
    return ExitStatus.Done;
  }
  const path = flags.socket ?? STATUS_SOCKET;
  try {
    const status = await ask(path, signal);
    out(flags.json === true ? `${JSON.stringify(status, null, 1)}\n` : printStatus(status));
    return needsAttention(status) ? ExitStatus.Found : ExitStatus.Done;
  } catch (error) {
    err(`ingot-switch status: ${explain(path, error)}\n`);
    return ExitStatus.Failed;
  }
}

async function ask(path: string, signal: AbortSignal): Promise<SwitchStatus> {
  const socket = createConnection({ path, signal: AbortSignal.any([signal, AbortSignal.timeout(TIMEOUT_MS)]) });
  return parseSwitchStatus(JSON.parse(await text(socket)));
}

function explain(path: string, error: unknown): string {
  const code = error instanceof Error && 'code' in error ? error.code : undefined;
  if (code === 'ENOENT' || code === 'ECONNREFUSED') {
    return `the daemon does not run (nobody answers at ${path}): systemctl status ingot-switch-agent says why; if it runs, give its statusSocket with --socket`;
  }
  if (code === 'EACCES') return `you may not ask the daemon at ${path}: use sudo`;
  return `the daemon's answer at ${path} is not understood (${reasonOf(error)}): is it of this version? restart it`;
}
