import type { Clock } from '@ingot/net';
import type { CommandOptions, RunCommand } from '../command.ts';
import { AgentError, AgentErrorCode, reasonOf } from '../errors.ts';
import type { Disk } from './disks/disk.ts';
import { Transport } from './disks/disk.ts';
import { parseIdNs, parseSmartLog } from './disks/nvme-text.ts';
import { isSmartAnswer, parseSmart, smartArguments } from './disks/smart-text.ts';
import type { Inventory } from './inventory.ts';
import { parseFirmwareVersion, parsePermanentMac } from './nics/ethtool-text.ts';
import { addressProblem } from './nics.ts';
import type { Nic } from './nics.ts';
import type { Told } from './told.ts';

export interface DetailParts {
  readonly run: RunCommand;
  readonly clock: Clock;
  readonly signal: AbortSignal;
  /** For each program; default 5000. */
  readonly timeoutMs?: number;
  /** Devices asked at the same time; default 4, so that a machine with 24 disks does not start 48 programs at once. */
  readonly parallel?: number;
}

const defaultTimeoutMs = 5_000;
const maxParallel = 4;
/** What a program that was killed may take to be gone. */
const graceMs = 1_000;

/**
 * The inventory with what only the devices themselves know: wear and formats of NVMe disks, health of SATA and SCSI
 * disks, firmware and permanent addresses of NICs. Runs `nvme`, `smartctl` and `ethtool`, so it is for the machine itself, once; most of it takes root.
 *
 * Does not fail: what cannot be had is said in place (disks) or among the problems (NICs). Rejects only with the signal.
 */
export async function readDetails(inventory: Inventory, parts: DetailParts): Promise<Inventory> {
  const ask = asker(parts);
  const limit = limiter(parts.parallel ?? maxParallel);
  const [disks, nics] = await Promise.all([
    Promise.all(inventory.disks.map((disk) => limit(() => diskDetails(disk, ask)))),
    Promise.all(inventory.nics.map((nic) => limit(() => nicDetails(nic, ask)))),
  ]);
  parts.signal.throwIfAborted();
  // What ethtool knows better is no problem any more.
  const solved = inventory.nics.filter((_, index) => nics[index]?.nic.macIsPermanent === true).map(addressProblem);
  const problems = [
    ...inventory.problems.filter((problem) => !solved.includes(problem)),
    ...disks.flatMap(({ name, health }) =>
      health?.ok === true ? health.value.warnings.map((warning) => `disks: ${name}: ${warning}`) : [],
    ),
    ...disks.flatMap(({ name, smart }) =>
      smart?.ok === true && smart.value.passed === false ? [`disks: ${name}: it expects to fail soon`] : [],
    ),
    // A program that is missing is missing once.
    ...new Set(nics.flatMap(({ problem }) => (problem === '' ? [] : [`nics: ${problem}`]))),
  ];
  return { ...inventory, disks, nics: nics.map(({ nic }) => nic), problems };
}

type Ask = (
  file: string,
  args: readonly string[],
  isAnswer?: NonNullable<CommandOptions['isAnswer']>,
) => Promise<Told<string>>;

/** A program that waits for a dead device in the kernel outlives every signal: it is left behind, and named. */
function asker({ run, clock, signal, timeoutMs = defaultTimeoutMs }: DetailParts): Ask {
  return async (file, args, isAnswer) => {
    const done = new AbortController();
    const late = async (): Promise<never> => {
      await clock.sleep(timeoutMs + graceMs, AbortSignal.any([signal, done.signal]));
      const what = `${file} ${args.join(' ')} hangs and cannot be ended`;
      throw new AgentError(AgentErrorCode.CommandFailed, what);
    };
    try {
      return {
        ok: true,
        value: await Promise.race([run(file, args, { timeoutMs, signal, ...(isAnswer && { isAnswer }) }), late()]),
      };
    } catch (error) {
      signal.throwIfAborted();
      return { ok: false, reason: reasonOf(error) };
    } finally {
      done.abort();
    }
  };
}

const smartTransports: ReadonlySet<Transport> = new Set([Transport.SATA, Transport.SAS, Transport.SCSI]);

async function diskDetails(disk: Disk, ask: Ask): Promise<Disk> {
  if (!disk.raidVolume && smartTransports.has(disk.transport)) {
    const smart = await ask('smartctl', [...smartArguments, disk.name], isSmartAnswer);
    return { ...disk, smart: smart.ok ? parseSmart(smart.value) : smart };
  }
  if (disk.transport !== Transport.NVME) return disk;
  const log = await ask('nvme', ['smart-log', disk.name, '-o', 'json']);
  // A disk that does not answer once is not asked twice.
  const namespace = log.ok ? await ask('nvme', ['id-ns', disk.name, '-o', 'json']) : log;
  return {
    ...disk,
    health: log.ok ? parseSmartLog(log.value) : log,
    lbaFormats: namespace.ok ? parseIdNs(namespace.value) : namespace,
  };
}

async function nicDetails(nic: Nic, ask: Ask): Promise<{ readonly nic: Nic; readonly problem: string }> {
  // An InfiniBand port without an interface is nothing that ethtool knows.
  if (nic.name.includes('/')) return { nic, problem: '' };
  const info = await ask('ethtool', ['-i', nic.name]);
  if (!info.ok) return { nic, problem: info.reason };
  const firmware = parseFirmwareVersion(info.value) || nic.firmware;
  if (nic.link !== 'ethernet') return { nic: { ...nic, firmware }, problem: '' };
  const address = await ask('ethtool', ['-P', nic.name]);
  const mac = address.ok ? parsePermanentMac(address.value) : undefined;
  return {
    nic: { ...nic, firmware, ...(mac !== undefined && { mac, macIsPermanent: true }) },
    problem: address.ok ? '' : address.reason,
  };
}

function limiter(limit: number): <T>(work: () => Promise<T>) => Promise<T> {
  let running = 0;
  const waiting: (() => void)[] = [];
  return async (work) => {
    if (running >= limit) await new Promise<void>((resolve) => waiting.push(resolve));
    else running += 1;
    try {
      return await work();
    } finally {
      const next = waiting.shift();
      if (next === undefined) running -= 1;
      else next();
    }
  };
}
