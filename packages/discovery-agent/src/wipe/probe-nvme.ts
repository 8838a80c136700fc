import type { RunCommand } from '../command.ts';
import { reasonOf } from '../errors.ts';
import type { Sysfs } from '../sysfs.ts';
import type { NvmeSubsystem } from './facts.ts';
import { NvmeSanitizeState } from './facts.ts';
import {
  parseNvmeController,
  parseNvmeNamespace,
  parseNvmeNamespaceList,
  parseNvmeSanitizeLog,
} from './nvme-identify.ts';
import type { NvmeNamespaceIdentity } from './nvme-identify.ts';

/** Runs a program that asks a device something, and ends it when the device does not answer. */
export type Ask = (file: string, args: readonly string[]) => Promise<string>;

/** An `Ask` upon the agent's `RunCommand`. */
export function asker(run: RunCommand, timeoutMs: number, signal: AbortSignal): Ask {
  return (file, args) => run(file, args, { timeoutMs, signal });
}

/** The parts of /sys that belong to the namespace `name` of /sys/block. */
export interface NvmePlace {
  readonly subsystem: string;
  /** `nvme0` */
  readonly controller: string;
  readonly nsid: number;
}

/**
 * With native multipath a namespace hangs below its subsystem, otherwise below its controller, which a subsystem links
 * to. Sanitize reaches all of a subsystem, whatever the way.
 */
export function nvmePlace(sysfs: Sysfs, name: string): NvmePlace | undefined {
  const nsid = sysfs.integer(`/sys/block/${name}/nsid`);
  const parent = sysfs.real(`/sys/block/${name}/device`)?.split('/').at(-1);
  if (nsid === undefined || parent === undefined) return undefined;
  const isController = (entry: string): boolean => /^nvme\d+$/.test(entry);
  const subsystems = sysfs.list('/sys/class/nvme-subsystem');
  const membersOf = (subsystem: string): string[] =>
    sysfs.list(`/sys/class/nvme-subsystem/${subsystem}`).filter(isController);
  if (!isController(parent)) {
    const controller = membersOf(parent)[0];
    return controller === undefined ? undefined : { subsystem: parent, controller, nsid };
  }
  const subsystem = subsystems.find((entry) => membersOf(entry).includes(parent)) ?? parent;
  return { subsystem, controller: parent, nsid };
}

/** @param visible ids of the namespaces that have a block device here */
export async function probeSubsystem(
  ask: Ask,
  { subsystem, controller }: NvmePlace,
  visible: readonly number[],
): Promise<NvmeSubsystem> {
  const problems: string[] = [];
  const node = `/dev/${controller}`;
  const attempt = async <T>(
    args: readonly string[],
    parse: (text: string) => T | undefined,
    say: boolean,
  ): Promise<T | undefined> => {
    try {
      const parsed = parse(await ask('nvme', args));
      if (parsed === undefined) problems.push(`nvme ${args.join(' ')}: its output cannot be read`);
      return parsed;
    } catch (error) {
      if (say) problems.push(reasonOf(error));
      return undefined;
    }
  };
  const identity = await attempt(['id-ctrl', node, '-o', 'json'], parseNvmeController, true);
  const canSanitize = identity?.sanitizeCrypto === true || identity?.sanitizeBlock === true;
  const log = canSanitize ? await attempt(['sanitize-log', node, '-o', 'json'], parseNvmeSanitizeLog, true) : undefined;
  // Controllers without namespace management know the list of attached namespaces only.
  const list =
    (await attempt(['list-ns', node, '--all', '-o', 'json'], parseNvmeNamespaceList, false)) ??
    (await attempt(['list-ns', node, '-o', 'json'], parseNvmeNamespaceList, true));
  return {
    key: subsystem,
    controller: node,
    // A sanitize whose progress cannot be read could not be waited for.
    sanitizeCrypto: identity?.sanitizeCrypto === true && log !== undefined,
    sanitizeBlock: identity?.sanitizeBlock === true && log !== undefined,
    format: identity?.format ?? false,
    formatHitsAll: identity?.formatHitsAll ?? true,
    cryptoFormat: identity?.cryptoFormat ?? false,
    sanitizeState: log?.state ?? NvmeSanitizeState.Idle,
    sanitizeSeconds: log?.seconds ?? { crypto: undefined, block: undefined },
    hiddenNamespaces: (list ?? []).filter((nsid) => !visible.includes(nsid)),
    problems,
  };
}

export async function probeNamespace(ask: Ask, device: string): Promise<NvmeNamespaceIdentity> {
  const identity = parseNvmeNamespace(await ask('nvme', ['id-ns', device, '-o', 'json']));
  if (identity === undefined) throw new Error(`nvme id-ns ${device}: its output cannot be read`);
  return identity;
}
