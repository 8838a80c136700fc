import { execFile } from 'node:child_process';
import { promisify } from 'node:util';
import * as systeminformation from 'systeminformation';
import { z } from 'zod';
import type { Inventory } from '../../src/inventory/inventory.ts';

/**
 * What a program says of the machine, by the name of the fact: `disk /dev/sda`, `memory`. Facts that it does not know,
 * or fills with blanks, are not there.
 */
export type Opinion = ReadonlyMap<string, string | number>;

function opinion(facts: Iterable<readonly [string, string | number | undefined]>): Opinion {
  const known = new Map<string, string | number>();
  for (const [fact, value] of facts) if (value !== undefined && value !== '' && value !== '-') known.set(fact, value);
  return known;
}

export function ourOpinion({ firmware, cpus, memory, disks, gpus, nics }: Inventory): Opinion {
  const sum = (values: readonly number[]): number => values.reduce((total, value) => total + value, 0);
  return opinion([
    ['uuid', firmware.uuid],
    ['bios version', firmware.bios.version],
    ['board', firmware.board.name],
    ['sockets', cpus.length],
    ['cores', sum(cpus.map(({ cores }) => cores))],
    ['threads', sum(cpus.map(({ threads }) => threads))],
    ['model', cpus[0]?.model],
    ['memory', memory.sizeBytes],
    ['modules', memory.dimms.length || undefined],
    ...disks.map(({ name, sizeBytes }) => [`disk ${name}`, sizeBytes] as const),
    ...nics.map(({ name, mac }) => [`nic ${name}`, mac] as const),
    ...gpus.map(({ address }) => [`display ${address}`, 'present'] as const),
  ]);
}

export async function systeminformationOpinion(): Promise<Opinion> {
  const [cpu, memory, layout, blocks, interfaces, graphics, bios, board, uuid] = await Promise.all([
    systeminformation.cpu(),
    systeminformation.mem(),
    systeminformation.memLayout(),
    systeminformation.blockDevices(),
    systeminformation.networkInterfaces(),
    systeminformation.graphics(),
    systeminformation.bios(),
    systeminformation.baseboard(),
    systeminformation.uuid(),
  ]);
  return opinion([
    ['uuid', uuid.hardware.toLowerCase()],
    ['bios version', bios.version],
    ['board', board.model],
    ['sockets', cpu.processors],
    ['cores', cpu.physicalCores],
    ['threads', cpu.cores],
    ['model', cpu.brand],
    ['memory', memory.total],
    ['modules', layout.filter(({ size, type }) => size > 0 && type !== '').length || undefined],
    ...blocks.filter(({ type }) => type === 'disk').map(({ device, size }) => [`disk ${device}`, size] as const),
    ...[interfaces].flat().map(({ iface, mac }) => [`nic ${iface}`, mac] as const),
    // It leaves the domain out where there is only one.
    ...graphics.controllers.map(
      ({ busAddress = '' }) => [`display ${busAddress.replace(/^(?=..:)/, '0000:')}`, 'present'] as const,
    ),
  ]);
}

interface LshwNode {
  readonly id: string;
  readonly class: string;
  readonly disabled?: boolean | undefined;
  readonly businfo?: string | undefined;
  readonly logicalname?: string | readonly string[] | undefined;
  readonly product?: string | undefined;
  readonly version?: string | undefined;
  readonly serial?: string | undefined;
  readonly size?: number | undefined;
  readonly configuration?: Readonly<Record<string, string>> | undefined;
  readonly children?: readonly LshwNode[] | undefined;
}

const lshwNode: z.ZodType<LshwNode> = z.lazy(() =>
  z.object({
    id: z.string(),
    class: z.string(),
    disabled: z.boolean().optional(),
    businfo: z.string().optional(),
    logicalname: z.union([z.string(), z.array(z.string())]).optional(),
    product: z.string().optional(),
    version: z.string().optional(),
    serial: z.string().optional(),
    size: z.number().optional(),
    configuration: z.record(z.string(), z.string()).optional(),
    children: z.array(lshwNode).optional(),
  }),
);

/** Takes root, to be told what we are told. */
export async function lshwOpinion(): Promise<Opinion> {
  const { stdout } = await promisify(execFile)('lshw', ['-json', '-quiet'], { maxBuffer: 2 ** 24, timeout: 30_000 });
  const parsed: unknown = JSON.parse(stdout);
  const flatten = (node: LshwNode): LshwNode[] => [node, ...(node.children ?? []).flatMap(flatten)];
  const nodes = z.array(lshwNode).parse([parsed].flat()).flatMap(flatten);
  const ofClass = (name: string): LshwNode[] => nodes.filter((node) => node.class === name);
  const processors = ofClass('processor').filter(({ disabled }) => disabled !== true);
  const counted = (key: string): number | undefined =>
    processors.reduce((sum, { configuration }) => sum + Number(configuration?.[key] ?? 0), 0) || undefined;
  const firstName = ({ logicalname }: LshwNode): string => [logicalname ?? ''].flat()[0] ?? '';
  const address = ({ businfo }: LshwNode): string => businfo?.replace('pci@', '') ?? '';
  return opinion([
    ['uuid', nodes[0]?.configuration?.['uuid']?.toLowerCase()],
    ['bios version', nodes.find(({ id }) => id === 'firmware')?.version],
    ['board', nodes.find(({ id }) => id === 'core')?.product],
    ['sockets', processors.length],
    ['cores', counted('cores')],
    ['threads', counted('threads')],
    ['model', processors[0]?.product],
    ['memory', ofClass('memory').find(({ id }) => /^memory(:0)?$/.test(id))?.size],
    [
      'modules',
      ofClass('memory').filter(({ id, size }) => id.startsWith('bank') && (size ?? 0) > 0).length || undefined,
    ],
    ...ofClass('disk')
      .filter((node) => firstName(node) !== '')
      .map((node) => [`disk ${firstName(node)}`, node.size ?? 'present'] as const),
    ...ofClass('network')
      .filter((node) => firstName(node) !== '')
      .map((node) => [`nic ${firstName(node)}`, node.serial] as const),
    ...ofClass('display').map((node) => [`display ${address(node)}`, 'present'] as const),
  ]);
}
