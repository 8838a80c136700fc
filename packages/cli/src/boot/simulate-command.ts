import { type Command, InvalidArgumentError, Option } from 'commander';
import type { SimulateAnswer, SimulateRequest } from '@ingot/boot-server/admin';
import type { CliIo } from '../io.ts';
import { formatJson } from '../output.ts';
import { simulationText } from './simulate-text.ts';
import { explained, loadServerConfig, withServer, type ServerFlags } from './socket.ts';

interface SimulateFlags extends ServerFlags {
  readonly mac: string;
  readonly arch: number;
  readonly uuid?: string;
  readonly serial?: string;
  readonly giaddr?: string;
  readonly link?: string;
  readonly hostname?: string;
  readonly circuitId?: string;
  readonly remoteId?: string;
  readonly linkSelection?: string;
  readonly serverIdOverride?: string;
  readonly vendorClass?: string;
  readonly userClass?: string;
  readonly features?: readonly string[];
  readonly phase: SimulateRequest['phase'];
  readonly output: 'text' | 'json' | 'yaml';
}

/** Words for the numbers of option 93 that machines in racks send. */
const ARCH_NAMES: Readonly<Record<string, number>> = {
  bios: 0,
  'efi-ia32': 6,
  'efi-x64': 7,
  'efi-arm32': 10,
  'efi-arm64': 11,
  'http-ia32': 15,
  'http-x64': 16,
  'http-arm64': 19,
};

/** `ingot boot simulate`: what a machine would be told, by a running server or by a configuration that is none yet. */
export function addSimulateCommand(boot: Command, io: CliIo): void {
  boot
    .command('simulate')
    .description('print what a machine would be told, and why; nothing is written, and no packet is sent')
    .requiredOption('--mac <mac>', 'hardware address of its NIC')
    .addOption(
      new Option('--arch <arch>', `${Object.keys(ARCH_NAMES).join(', ')}, or a number of option 93`)
        .argParser(parseArch)
        .default(0, 'bios'),
    )
    .option('--uuid <uuid>', 'SMBIOS UUID')
    .option('--serial <text>', 'SMBIOS serial number')
    .option('--giaddr <address>', 'address of the relay; default: it is on the own link of the server')
    .option('--link <address>', 'own address of the server on its link, where that has several')
    .option('--hostname <name>', 'option 12')
    .option('--circuit-id <text>', 'sub-option 1 of option 82, as text or 0x and hex digits')
    .option('--remote-id <text>', 'sub-option 2 of option 82')
    .option('--link-selection <address>', 'sub-option 5 of option 82: the network that the relay asks for')
    .option('--server-id-override <address>', 'sub-option 11 of option 82')
    .option('--vendor-class <text>', 'option 60; default: what PXE firmware of that architecture sends')
    .option('--user-class <text>', 'option 77: iPXE')
    .option('--features <names>', 'what its iPXE can do (option 175), as http,bzimage', (text) => text.split(','))
    .addOption(
      new Option('--phase <phase>', 'all: the whole boot, as far as it goes')
        .choices(['all', 'dhcp', 'pxe', 'script'])
        .default('all'),
    )
    .addOption(new Option('-o, --output <format>', 'how to print').choices(['text', 'json', 'yaml']).default('text'))
    .optionsGroup('Boot server:')
    .option('--socket <file>', 'admin socket of a running server (INGOT_BOOT_SERVER_ADMIN_SOCKET)')
    .option('--config <file>', 'ask this configuration instead of a running server')
    .action(async (flags: SimulateFlags) => {
      const answer = await ask(flags, io);
      io.stdout(
        flags.output === 'text'
          ? simulationText(answer)
          : formatJson(
              {
                steps: answer.steps.map((step) => ({
                  ...step,
                  options: step.options.map((option) => ({ ...option })),
                })),
              },
              flags.output,
            ),
      );
    });
}

async function ask(flags: SimulateFlags, io: CliIo): Promise<SimulateAnswer> {
  const {
    mac,
    arch,
    uuid,
    serial,
    hostname,
    giaddr,
    link,
    circuitId,
    remoteId,
    linkSelection,
    serverIdOverride,
    vendorClass,
    userClass,
    features,
    phase,
  } = flags;
  const request: SimulateRequest = {
    mac,
    arch,
    uuid,
    serial,
    hostname,
    giaddr,
    link,
    circuitId,
    remoteId,
    linkSelection,
    serverIdOverride,
    vendorClass,
    userClass,
    phase,
    features: features === undefined ? undefined : [...features],
  };
  if (flags.config === undefined) return withServer(flags, io, (server) => server.simulate(request));
  const config = await loadServerConfig(flags.config, io);
  const { simulateConfig } = await import('@ingot/boot-server');
  return explained(simulateConfig(config, request));
}

function parseArch(text: string): number {
  const named = ARCH_NAMES[text.toLowerCase()];
  if (named !== undefined) return named;
  if (!/^\d{1,5}$/.test(text))
    throw new InvalidArgumentError(`Write ${Object.keys(ARCH_NAMES).join(', ')} or a number.`);
  return Number(text);
}
