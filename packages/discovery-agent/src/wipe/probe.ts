import type { RunCommand } from '../command.ts';
import { AgentError, AgentErrorCode, reasonOf } from '../errors.ts';
import { Transport } from '../inventory/disks/disk.ts';
import { readDisks } from '../inventory/disks.ts';
import { isRaidVolume } from '../inventory/disks/raid.ts';
import { nvmeControllers, pciAddressIn, transportOf } from '../inventory/disks/transport.ts';
import type { Sysfs } from '../sysfs.ts';
import { parseAtaHidden, parseAtaIdentify, parseAtaSanitizeStatus } from './ata-identify.ts';
import { partitionsOf, readDiskUse } from './disk-use.ts';
import type { DiskFacts, DiskKind, DiskUse, NvmeSubsystem, ScsiSanitize, WipeFacts } from './facts.ts';
import { asker, nvmePlace, probeNamespace, probeSubsystem } from './probe-nvme.ts';
import type { Ask, NvmePlace } from './probe-nvme.ts';

export interface ProbeParts {
  readonly sysfs: Sysfs;
  readonly run: RunCommand;
  readonly signal: AbortSignal;
  /** Devices to look at, whatever they are; undefined: every disk, and nothing that is built upon disks. */
  readonly devices?: readonly string[] | undefined;
}

/** An identify command takes milliseconds; a controller in trouble gives up after its own timeout, up to 60 s. */
const askTimeoutMs = 90_000;

/** Built upon other disks, in memory, or optical. Parts of an eMMC that hold firmware are no place for data either. */
const noDisk = /^(ram|loop|zram|dm-|md|sr|fd|nbd|mtdblock|bcache|drbd|rbd|mmcblk\d+(boot|rpmb))/;

/** SANITIZE of SBC-4 with its service actions, as `sg_opcodes` is asked for them. */
const sanitizeOpcode = '0x48';
const sanitizeActions = { overwrite: '1', block: '2', crypto: '3' } as const;

/**
 * Finds out what each disk can do, and what it must be spared for. Reads only; what a device does not tell is a problem
 * in words and a capability less, never an error.
 *
 * Rejects with `AgentError` (`WipeRefused`) when a device of `devices` is no whole disk.
 */
export async function probeDisks({ sysfs, run, signal, devices }: ProbeParts): Promise<WipeFacts> {
  const ask = asker(run, askTimeoutMs, signal);
  const known = sysfs.list('/sys/block');
  const names = devices === undefined ? known.filter((name) => !noDisk.test(name)) : devices.map(blockName);
  for (const [index, name] of names.entries())
    if (!known.includes(name))
      throw new AgentError(
        AgentErrorCode.WipeRefused,
        `${devices?.[index] ?? name} is no whole disk of this machine; there is ${known.map(deviceNode).join(', ') || 'none'}`,
      );
  const paths = pathsOfDisks(sysfs);
  const isRepeat = (name: string): boolean => {
    const first = (paths.get(name) ?? []).find((path) => names.includes(path));
    return first !== undefined && first !== name;
  };
  const shown = names.filter((name) => sysfs.integer(`/sys/block/${name}/hidden`) !== 1 && !isRepeat(name));

  // A namespace that was not asked about still is in the way of a sanitize: every one of the machine counts.
  const places = new Map<string, NvmePlace>();
  for (const name of known) {
    const place = /^nvme\d+n\d+$/.test(name) ? nvmePlace(sysfs, name) : undefined;
    if (place !== undefined) places.set(name, place);
  }
  const use = readDiskUse(sysfs);
  const probed = new Set(shown.flatMap((name) => places.get(name)?.subsystem ?? []));
  const neighbours = [...places].filter(([name, { subsystem }]) => probed.has(subsystem) && !shown.includes(name));
  const [disks, subsystems] = await Promise.all([
    Promise.all(
      [...shown, ...neighbours.map(([name]) => name)].map((name) =>
        probeDisk({ sysfs, ask, name, place: places.get(name), use: useOf(paths.get(name) ?? [name], use) }),
      ),
    ),
    Promise.all([...probed].map((key) => subsystemOf(ask, key, [...places.values()]))),
  ]);
  signal.throwIfAborted();
  return { disks, subsystems };
}

/**
 * Names of a disk that more than one cable leads to, by each of them. Wiped by two of its names at a time it would stop
 * one for the other.
 */
function pathsOfDisks(sysfs: Sysfs): ReadonlyMap<string, readonly string[]> {
  const groups = readDisks(sysfs).map(({ name, otherPaths }) => [name, ...otherPaths].map(blockName));
  return new Map(groups.filter(({ length }) => length > 1).flatMap((group) => group.map((name) => [name, group])));
}

/** What is mounted by one name of a disk is lost by another. */
function useOf(names: readonly string[], all: ReadonlyMap<string, DiskUse>): DiskUse {
  const found = names.flatMap((name) => all.get(name) ?? []);
  return found.find(({ kind }) => kind === 'boot') ?? found[0] ?? { kind: 'free' };
}

async function subsystemOf(ask: Ask, key: string, places: readonly NvmePlace[]): Promise<NvmeSubsystem> {
  const members = places.filter(({ subsystem }) => subsystem === key);
  const [first] = members;
  if (first === undefined) throw new Error(`${key} has no namespaces`);
  return await probeSubsystem(
    ask,
    first,
    members.map(({ nsid }) => nsid),
  );
}

interface DiskParts {
  readonly sysfs: Sysfs;
  readonly ask: Ask;
  readonly name: string;
  readonly place: NvmePlace | undefined;
  readonly use: DiskFacts['use'];
}

async function probeDisk({ sysfs, ask, name, place, use }: DiskParts): Promise<DiskFacts> {
  const directory = `/sys/block/${name}`;
  const device = deviceNode(name);
  const problems: string[] = [];
  const transport = transportOf(sysfs, name);
  const raidVolume = behindRaid(sysfs, name);
  const found = await (async (): Promise<KindFacts> => {
    try {
      if (raidVolume || remote.has(transport)) return other;
      if (place !== undefined) return await nvmeKind(ask, device, place, problems);
      if (transport === Transport.SATA) return await ataKind(ask, device);
      if (transport !== Transport.SAS && transport !== Transport.SCSI) return other;
      return { ...other, kind: { bus: 'scsi', sanitize: await scsiSanitize(ask, device) } };
    } catch (error) {
      problems.push(reasonOf(error));
      return other;
    }
  })();
  const canDiscard = (sysfs.integer(`${directory}/queue/discard_max_bytes`) ?? 0) > 0;
  return {
    device,
    // The kernel counts in units of 512 bytes whatever the sector size of the disk is.
    sizeBytes: (sysfs.integer(`${directory}/size`) ?? 0) * 512,
    logicalBlockBytes: sysfs.integer(`${directory}/queue/logical_block_size`) ?? 512,
    // virtio has no word for it, and Linux then says yes.
    rotational: transport !== Transport.VIRTIO && sysfs.integer(`${directory}/queue/rotational`) !== 0,
    readOnly: sysfs.integer(`${directory}/ro`) === 1 || found.writeProtected,
    removable:
      sysfs.integer(`${directory}/removable`) === 1 ||
      transport === Transport.USB ||
      sysfs.text(`${directory}/device/type`) === 'SD',
    remote: remote.has(transport),
    use,
    raidVolume,
    discardZeroes: canDiscard && (found.discardZeroes || scsiUnmapZeroes(sysfs, directory)),
    writeZeroes: (sysfs.integer(`${directory}/queue/write_zeroes_max_bytes`) ?? 0) > 0,
    partitionEdges: partitionEdges(sysfs, name),
    kind: found.kind,
    problems,
  };
}

/** Storage of somebody else, at the other end of a network: this machine is given it, and does not own it. */
const remote: ReadonlySet<Transport> = new Set([Transport.ISCSI, Transport.FIBRE_CHANNEL, Transport.NVME_FABRIC]);

function behindRaid(sysfs: Sysfs, name: string): boolean {
  const directory = `/sys/block/${name}`;
  const path = sysfs.real(directory) ?? '';
  const controller = pciAddressIn(nvmeControllers(sysfs, name)[0] ?? path);
  const driver = controller === '' ? '' : (sysfs.linkName(`/sys/bus/pci/devices/${controller}/driver`) ?? '');
  return isRaidVolume(path, driver, sysfs.text(`${directory}/device/model`) ?? '');
}

interface KindFacts {
  readonly kind: DiskKind;
  readonly discardZeroes: boolean;
  readonly writeProtected: boolean;
}

const other: KindFacts = { kind: { bus: 'other' }, discardZeroes: false, writeProtected: false };

/** A namespace that does not answer still belongs to its subsystem, and is reached by what is done to that. */
async function nvmeKind(
  ask: Ask,
  device: string,
  { subsystem, nsid }: NvmePlace,
  problems: string[],
): Promise<KindFacts> {
  try {
    const { layout, writeProtected, discardZeroes } = await probeNamespace(ask, device);
    return { kind: { bus: 'nvme', namespace: { subsystem, nsid, layout } }, discardZeroes, writeProtected };
  } catch (error) {
    problems.push(reasonOf(error));
    return { ...other, kind: { bus: 'nvme', namespace: { subsystem, nsid, layout: undefined } } };
  }
}

async function ataKind(ask: Ask, device: string): Promise<KindFacts> {
  const identity = parseAtaIdentify(await ask('hdparm', ['--Istdout', device]));
  if (identity === undefined) throw new Error(`hdparm --Istdout ${device}: its output cannot be read`);
  const { security, sanitize, trimZeroes } = identity;
  const any = sanitize.crypto || sanitize.block || sanitize.overwrite;
  const status = any ? parseAtaSanitizeStatus(await ask('hdparm', ['--sanitize-status', device])) : undefined;
  // Fails on disks without the feature, which hide nothing.
  const limits = await ask('hdparm', ['-N', device]).catch(() => '');
  const usable = any && status !== undefined && status.state !== 'frozen';
  return {
    kind: {
      bus: 'ata',
      security,
      sanitize: {
        crypto: usable && sanitize.crypto,
        block: usable && sanitize.block,
        overwrite: usable && sanitize.overwrite,
        inProgress: status?.state === 'in-progress',
      },
      hiddenSectors: parseAtaHidden(limits),
    },
    discardZeroes: trimZeroes,
    writeProtected: false,
  };
}

async function scsiSanitize(ask: Ask, device: string): Promise<ScsiSanitize> {
  const supports = async (action: keyof typeof sanitizeActions): Promise<boolean> => {
    try {
      const args = ['--no-inquiry', `--opcode=${sanitizeOpcode},${sanitizeActions[action]}`, device];
      return /\bsupported \[/.test(await ask('sg_opcodes', args));
    } catch {
      return false; // many devices do not know the question, which is an answer
    }
  };
  return {
    crypto: await supports('crypto'),
    block: await supports('block'),
    overwrite: await supports('overwrite'),
  };
}

/** Logical block provisioning page (VPD B2h), SBC-4 §6.6.9: LBPRZ, bits 4:2 of byte 5, says what unmapped blocks read as. */
function scsiUnmapZeroes(sysfs: Sysfs, directory: string): boolean {
  const page = sysfs.bytes(`${directory}/device/vpd_pgb2`);
  return page !== undefined && page.length > 5 && page[1] === 0xb2 && (((page[5] ?? 0) >> 2) & 1) === 1;
}

function partitionEdges(sysfs: Sysfs, name: string): number[] {
  return partitionsOf(sysfs, name).flatMap((partition) => {
    const start = sysfs.integer(`/sys/block/${name}/${partition}/start`);
    const size = sysfs.integer(`/sys/block/${name}/${partition}/size`);
    return start === undefined || size === undefined ? [] : [start * 512, (start + size) * 512];
  });
}

/** The kernel writes `!` for `/` in directory names. */
function deviceNode(name: string): string {
  return `/dev/${name.replaceAll('!', '/')}`;
}

function blockName(device: string): string {
  return device.replace(/^\/dev\//, '').replaceAll('/', '!');
}
