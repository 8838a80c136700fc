import type { AtaSecurity, DiskFacts, NvmeSubsystem, WipeFacts } from './facts.ts';
import { NvmeSanitizeState } from './facts.ts';
import type { Argv, Method, SanitizeKind } from './method.ts';
import { ataErasePassword, ataMethods, ataPreparation, formatMethods, genericMethods } from './methods.ts';
import { scsiMethods, subsystemMethods } from './methods.ts';
import { isDeviceNode } from './permit.ts';
import type { WipePermit, WipeRehearsal } from './permit.ts';

/** What will be done, and what will not and why. Made without touching anything; `P` says whether it may be executed. */
export interface WipePlan<P extends WipePermit | WipeRehearsal = WipePermit | WipeRehearsal> {
  readonly permission: P;
  /** Independent of each other. */
  readonly units: readonly WipeUnit[];
  /** Need not be wiped. */
  readonly skipped: readonly SetAside[];
  /** Would have to be wiped and cannot be: the machine is not clean, whatever becomes of the others. */
  readonly blocked: readonly SetAside[];
}

export interface SetAside {
  readonly device: string;
  readonly reason: string;
}

/** A disk, or the namespaces of one NVMe subsystem, which some methods wipe together. */
export interface WipeUnit {
  readonly disks: readonly DiskPlan[];
  /** Tried first, in this order, for all disks at once. */
  readonly together: readonly Method[];
  /** Of NVMe; where a sanitize is followed. */
  readonly controller: string | undefined;
  /** A sanitize from an earlier life runs, in the disk itself: nothing can be read or written before it is over. */
  readonly awaitFirst: SanitizeKind | undefined;
  /** Namespaces without a block device: only a method for the whole subsystem reaches them. */
  readonly hiddenNamespaces: readonly number[];
}

export interface DiskPlan {
  readonly device: string;
  readonly sizeBytes: number;
  readonly logicalBlockBytes: number;
  readonly partitionEdges: readonly number[];
  /** Before anything else; when it fails, so does the disk. */
  readonly preparation: readonly Argv[];
  /** Tried in this order until one succeeds and is verified. Never empty. */
  readonly methods: readonly Method[];
  /** Why a better method is missing, and what would bring it back. */
  readonly hints: readonly string[];
  /** Of the method that comes first. */
  readonly estimateSeconds: number;
}

export interface PlanOptions {
  /** How this program starts itself for `block-io`. */
  readonly blockIo: Argv;
}

/**
 * Decides how each disk is wiped. Pure: equal facts give equal plans.
 *
 * Nothing that would reach a disk which is skipped, blocked or not covered by the permission is ever part of it.
 */
export function planWipe<P extends WipePermit | WipeRehearsal>(
  permission: P,
  facts: WipeFacts,
  options: PlanOptions,
): WipePlan<P> {
  const judged = facts.disks.map((disk) => ({ disk, verdict: judge(disk, permission.devices) }));
  const subsystems = new Map(facts.subsystems.map((subsystem) => [subsystem.key, subsystem]));
  const subsystemOf = (disk: DiskFacts): NvmeSubsystem | undefined =>
    disk.kind.bus === 'nvme' ? subsystems.get(disk.kind.namespace.subsystem) : undefined;

  const units: WipeUnit[] = [];
  const stuck: SetAside[] = [];
  for (const disk of free(judged)) {
    const subsystem = subsystemOf(disk);
    if (subsystem === undefined) {
      units.push(singleUnit(disk, options));
      continue;
    }
    const members = judged.filter((member) => subsystemOf(member.disk) === subsystem);
    if (free(members)[0] !== disk) continue; // the first one brought the others along
    const spared = members.find(({ verdict }) => verdict.kind !== 'wipe')?.disk.device;
    if (subsystem.sanitizeState === NvmeSanitizeState.Failed && (spared !== undefined || !canSanitize(subsystem)))
      stuck.push(...free(members).map(({ device }) => ({ device, reason: failedSanitize(subsystem, spared) })));
    else units.push(subsystemUnit(subsystem, free(members), spared, options));
  }
  return {
    permission,
    units,
    skipped: aside(judged, 'skip'),
    blocked: [...aside(judged, 'blocked'), ...stuck],
  };
}

type Verdict =
  | { readonly kind: 'wipe' }
  | { readonly kind: 'skip'; readonly reason: string }
  | { readonly kind: 'blocked'; readonly reason: string };

interface Judged {
  readonly disk: DiskFacts;
  readonly verdict: Verdict;
}

function free(judged: readonly Judged[]): DiskFacts[] {
  return judged.filter(({ verdict }) => verdict.kind === 'wipe').map(({ disk }) => disk);
}

function aside(judged: readonly Judged[], kind: 'skip' | 'blocked'): SetAside[] {
  return judged.flatMap(({ disk, verdict }) =>
    verdict.kind === kind ? [{ device: disk.device, reason: verdict.reason }] : [],
  );
}

function judge(disk: DiskFacts, devices: readonly string[] | undefined): Verdict {
  const skip = (reason: string): Verdict => ({ kind: 'skip', reason });
  const blocked = (reason: string): Verdict => ({ kind: 'blocked', reason });
  if (devices !== undefined && !devices.includes(disk.device)) return skip('not asked for');
  if (disk.sizeBytes === 0) return skip('no medium: its size is zero');
  if (disk.removable) return skip('removable');
  if (disk.remote) return skip('storage of another machine, reached over a network');
  if (disk.readOnly) return skip('read-only');
  if (disk.use.kind === 'boot') return skip(`the running system is on it: ${disk.use.by}`);
  if (disk.use.kind === 'busy') return blocked(`in use: ${disk.use.by}; release it first`);
  if (!isDeviceNode(disk.device)) return blocked(`"${disk.device}" is no name that a program could be given`);
  if (disk.kind.bus === 'ata') {
    const reason = againstAta(disk.device, disk.kind.security) ?? againstHidden(disk);
    if (reason !== undefined) return blocked(reason);
  }
  return { kind: 'wipe' };
}

/** Frozen, the disk takes no password away: not ours, which would lock it at the next power-on, and nobody else's. */
function againstAta(device: string, security: AtaSecurity): string | undefined {
  if (!security.enabled || !security.frozen) return undefined;
  const state = security.locked ? 'locked and frozen' : 'frozen with a password set';
  const remedy = `cut its power, then: hdparm --user-master u --security-disable ${ataErasePassword} ${device}`;
  return `ATA security is ${state}; ${remedy} (or the password that was set)`;
}

/** What is written from outside ends at the last visible sector. */
function againstHidden(disk: DiskFacts): string | undefined {
  const hidden = hiddenSectors(disk);
  if (hidden === 0 || ownMethods(disk).length > 0) return undefined;
  return (
    `a host protected area hides ${hidden} sectors, and the disk cannot erase itself; give them back with ` +
    `hdparm --yes-i-know-what-i-am-doing -N p<all sectors> ${disk.device} and cut its power`
  );
}

function hiddenSectors({ kind }: DiskFacts): number {
  return kind.bus === 'ata' ? kind.hiddenSectors : 0;
}

function singleUnit(disk: DiskFacts, options: PlanOptions): WipeUnit {
  return {
    disks: [diskPlan(disk, ownMethods(disk), hintsOf(disk), options)],
    together: [],
    controller: undefined,
    awaitFirst: disk.kind.bus === 'ata' && disk.kind.sanitize.inProgress ? 'ata-sanitize' : undefined,
    hiddenNamespaces: [],
  };
}

function ownMethods(disk: DiskFacts): Method[] {
  if (disk.raidVolume) return [];
  switch (disk.kind.bus) {
    case 'ata':
      return ataMethods(disk, disk.kind.security, disk.kind.sanitize);
    case 'scsi':
      return scsiMethods(disk, disk.kind.sanitize);
    case 'nvme':
    case 'other':
      return [];
  }
}

function hintsOf({ device, kind, raidVolume, problems }: DiskFacts): string[] {
  const frozen = kind.bus === 'ata' && kind.security.supported && kind.security.frozen;
  return [
    ...problems,
    ...(kind.bus === 'ata' && kind.hiddenSectors > 0
      ? [`a host protected area hides ${kind.hiddenSectors} sectors: only what the disk does itself reaches them`]
      : []),
    ...(raidVolume ? ['a RAID volume: its controller passes no erase on to the disks behind it'] : []),
    ...(frozen
      ? [
          `ATA security is frozen, so ${device} cannot erase itself: plug it in again while the machine runs, suspend ` +
            'the machine once (S3), or switch the security freeze lock off in the firmware setup',
        ]
      : []),
  ];
}

/** @param spared a namespace that must not be touched, if there is one: then nothing for the whole subsystem is allowed */
function subsystemUnit(
  subsystem: NvmeSubsystem,
  disks: readonly DiskFacts[],
  spared: string | undefined,
  options: PlanOptions,
): WipeUnit {
  const alone = spared === undefined && disks.length === 1;
  const hints = [
    ...subsystem.problems,
    ...(spared !== undefined && canSanitize(subsystem) ? [`no sanitize: it would reach ${spared}, too`] : []),
    ...(spared !== undefined && subsystem.format && subsystem.formatHitsAll
      ? [`no format: this controller's reaches every namespace, ${spared}, too`]
      : []),
  ];
  const formats = ({ kind }: DiskFacts): Method[] =>
    kind.bus === 'nvme' ? formatMethods(subsystem, kind.namespace.nsid, kind.namespace.layout) : [];
  const [first] = disks;
  const sharedFormats = subsystem.formatHitsAll && !alone && first !== undefined ? formats(first) : [];
  return {
    disks: disks.map((disk) =>
      diskPlan(disk, subsystem.formatHitsAll && !alone ? [] : formats(disk), [...hintsOf(disk), ...hints], options),
    ),
    together: spared === undefined ? [...subsystemMethods(subsystem), ...sharedFormats] : [],
    controller: subsystem.controller,
    awaitFirst: subsystem.sanitizeState === NvmeSanitizeState.InProgress ? 'nvme-sanitize' : undefined,
    hiddenNamespaces: subsystem.hiddenNamespaces,
  };
}

function canSanitize(subsystem: NvmeSubsystem): boolean {
  return subsystem.sanitizeCrypto || subsystem.sanitizeBlock;
}

function failedSanitize({ controller }: NvmeSubsystem, spared: string | undefined): string {
  const words = `the last sanitize of ${controller} failed, and only another one makes it usable again`;
  return spared === undefined ? `${words}; replace it` : `${words}, which would reach ${spared}, too`;
}

function diskPlan(disk: DiskFacts, own: readonly Method[], hints: readonly string[], options: PlanOptions): DiskPlan {
  const methods = [...own, ...(hiddenSectors(disk) > 0 ? [] : genericMethods(disk, options.blockIo))];
  return {
    device: disk.device,
    sizeBytes: disk.sizeBytes,
    logicalBlockBytes: disk.logicalBlockBytes,
    partitionEdges: disk.partitionEdges,
    preparation: disk.kind.bus === 'ata' ? ataPreparation(disk.device, disk.kind.security) : [],
    methods,
    hints,
    estimateSeconds: methods[0]?.estimateSeconds ?? 0,
  };
}
