import { apiV2, create, fromJson } from '@ingot/api';
import { type Command, Option } from 'commander';
import { CliError, CliErrorCode } from '../errors.ts';
import { parsePair } from '../options.ts';
import type { Json } from '../output.ts';
import { given } from '../resources/given.ts';
import type { CliIo } from '../io.ts';
import { readText } from '../read-file.ts';
import { readDocuments } from '../resources/documents.ts';
import { jsonProblem } from '../resources/json-problem.ts';

const { MachineAllocationType } = apiV2;

export interface CreateFlags {
  readonly project: string;
  readonly partition?: string;
  readonly size?: string;
  readonly image: string;
  readonly network: readonly string[];
  readonly id?: string;
  readonly hostname?: string;
  readonly description?: string;
  readonly sshPublicKey?: readonly string[];
  readonly filesystemLayout?: string;
  readonly userdata?: string;
  readonly label?: Readonly<Record<string, string>>;
  readonly placementLabel?: Readonly<Record<string, string>>;
  readonly dnsServer?: readonly string[];
  readonly ntpServer?: readonly string[];
  readonly firewall?: boolean;
  readonly firewallRules?: string;
}

/** Adds a flag for each field of an allocation. */
export function withCreateFlags(command: Command): Command {
  return command
    .requiredOption('--project <uuid|name>', 'whom it is for')
    .requiredOption('--image <id>', 'what it is to run: debian-12.0.20260101, or debian-12.0 for the newest')
    .requiredOption(
      '--network <id...>',
      'the networks that it joins; id=ip,ip takes addresses of the project instead of a free one',
    )
    .option('--partition <id>', 'where')
    .option('--size <id>', 'of which size')
    .option('--id <uuid>', 'this very machine; for administrators')
    .option('--hostname <name>', 'default: metal')
    .option('--description <text>', 'what it is for')
    .option('--ssh-public-key <key...>', 'who may log in: a key, or @file with one on each line')
    .option('--filesystem-layout <id>', 'how its disks are laid out; default: the layout that fits size and image')
    .option('--userdata <text>', 'what cloud-init or ignition gets; @file reads it from there')
    .option('--label <key=value>', 'a label; may be repeated', parsePair)
    .option(
      '--placement-label <key=value>',
      'keep away from machines of the project with the same label, in other racks; may be repeated',
      parsePair,
    )
    .option('--dns-server <ip...>', "whom it asks for names, up to 3; default: the partition's")
    .option('--ntp-server <address...>', "whom it asks for the time, up to 10; default: the partition's")
    .option('--firewall', 'make it a firewall')
    .addOption(
      new Option(
        '--firewall-rules <file>',
        'what the firewall lets through: YAML or JSON with egress and ingress',
      ).implies({ firewall: true }),
    );
}

/** The request that the flags make. Throws CliError when a file cannot be read. */
export async function requestOf(
  io: CliIo,
  name: string,
  flags: CreateFlags,
): Promise<apiV2.MachineServiceCreateRequest> {
  const { project, image, id, userdata, label, placementLabel, firewallRules } = flags;
  const labels = (of: Readonly<Record<string, string>>): apiV2.Labels => create(apiV2.LabelsSchema, { labels: of });
  return create(apiV2.MachineServiceCreateRequestSchema, {
    name,
    project,
    image,
    networks: flags.network.map((text) => {
      const [network = '', ips = ''] = text.split('=');
      return { network, ips: ips === '' ? [] : ips.split(',') };
    }),
    sshPublicKeys: (flags.sshPublicKey ?? []).flatMap(keysOf),
    allocationType: flags.firewall === true ? MachineAllocationType.FIREWALL : MachineAllocationType.MACHINE,
    dnsServers: (flags.dnsServer ?? []).map((ip) => ({ ip })),
    ntpServers: (flags.ntpServer ?? []).map((address) => ({ address })),
    ...given('partition', flags.partition),
    ...given('size', flags.size),
    ...given('uuid', id),
    ...given('hostname', flags.hostname),
    ...given('description', flags.description),
    ...given('filesystemLayout', flags.filesystemLayout),
    // The contract wants base64.
    ...given('userdata', userdata === undefined ? undefined : Buffer.from(textOrFile(userdata)).toString('base64')),
    ...given('labels', label === undefined ? undefined : labels(label)),
    ...given('placementLabels', placementLabel === undefined ? undefined : labels(placementLabel)),
    ...given('firewallSpec', firewallRules === undefined ? undefined : await specOf(io, firewallRules)),
  });
}

async function specOf(io: CliIo, file: string): Promise<apiV2.FirewallSpec> {
  const [document, second] = await readDocuments(io, [file]);
  if (document === undefined || second !== undefined)
    throw new CliError(CliErrorCode.Argument, `${file} has to hold one document, with egress and ingress`);
  try {
    const rules: { [key: string]: Json } = { ...document };
    return fromJson(apiV2.FirewallSpecSchema, { firewallRules: rules });
  } catch (error) {
    const problem = jsonProblem(apiV2.FirewallSpecSchema, error);
    throw new CliError(CliErrorCode.Argument, `${file} has no firewall rules: ${problem}`, error);
  }
}

function keysOf(text: string): readonly string[] {
  if (!text.startsWith('@')) return [text];
  return textOrFile(text)
    .split('\n')
    .map((line) => line.trim())
    .filter((line) => line !== '' && !line.startsWith('#'));
}

function textOrFile(text: string): string {
  if (!text.startsWith('@')) return text;
  return readText(text.slice(1));
}
