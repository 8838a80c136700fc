import { copyFileSync, existsSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { type Command, InvalidArgumentError } from 'commander';
import { CliError, CliErrorCode } from '../errors.ts';
import type { CliIo } from '../io.ts';
import { unreadable } from '../read-file.ts';
import { rescueInitrd } from './rescue-initrd.ts';
import { runQuick, type QuickFlags } from './quick-run.ts';

interface KernelFlags extends QuickFlags {
  readonly cmdline: string;
}

interface DebianFlags extends KernelFlags {
  readonly kernel?: string;
  readonly initrd?: string;
  readonly preseed?: string;
  readonly mirror?: string;
  readonly suite: string;
}

interface RescueFlags extends KernelFlags {
  readonly image: string;
}

/** Where images/build.ts puts the discovery image. */
const IMAGE = fileURLToPath(new URL('../../../../.cache/image/out', import.meta.url));

/** `ingot boot kernel`, `debian` and `rescue`: no configuration file, no API. */
export function addQuickCommands(boot: Command, io: CliIo): void {
  withQuickFlags(
    boot
      .command('kernel')
      .description('boot one kernel, and initrds if any, on every machine that asks')
      .argument('<vmlinuz>', 'path or http URL')
      .argument('[initrd...]', 'paths or http URLs'),
  ).action(async (kernel: string, initrds: readonly string[], flags: KernelFlags) => {
    await runQuick(flags, io, () => ({ kernel, initrds, cmdline: flags.cmdline, message: '' }));
  });

  withQuickFlags(
    boot
      .command('debian')
      .description("boot Debian's installer on every machine that asks")
      .option('--kernel <file>', 'linux of the netboot files')
      .option('--initrd <file>', 'initrd.gz beside it')
      .option('--preseed <file>', 'answers for the installer, which then asks nothing')
      .option('--mirror <url>', 'Debian mirror to load the two from, where they are not at hand')
      .option('--suite <name>', 'release on the mirror', 'bookworm'),
  ).action(async (flags: DebianFlags) => {
    const { kernel, initrd, preseed, mirror, suite, cmdline } = flags;
    if ((kernel === undefined) !== (initrd === undefined))
      throw new CliError(CliErrorCode.Argument, 'give both --kernel and --initrd, or neither');
    if (kernel === undefined && mirror === undefined)
      throw new CliError(
        CliErrorCode.Argument,
        'say where the installer is: --kernel and --initrd of its netboot files, or --mirror <url>',
      );
    const netboot = `${(mirror ?? '').replace(/\/+$/, '')}/dists/${suite}/main/installer-amd64/current/images/netboot/debian-installer/amd64`;
    await runQuick(flags, io, ({ httpUrl, files }) => {
      if (preseed !== undefined) publish(preseed, join(files, 'preseed.cfg'));
      const answers = preseed === undefined ? [] : [`auto=true priority=critical url=${httpUrl}/boot/preseed.cfg`];
      return {
        kernel: kernel ?? `${netboot}/linux`,
        initrds: [initrd ?? `${netboot}/initrd.gz`],
        cmdline: [...answers, cmdline].filter((part) => part !== '').join(' '),
        message: 'Debian installer',
      };
    });
  });

  withQuickFlags(
    boot
      .command('rescue')
      .description('boot a shell on the console of every machine that asks, with the drivers of the discovery image')
      .option('--image <folder>', 'folder of the discovery image', IMAGE),
  ).action(async (flags: RescueFlags) => {
    const [kernel, initrd] = ['vmlinuz', 'initrd'].map((name) => join(flags.image, name));
    if (kernel === undefined || initrd === undefined || !existsSync(kernel) || !existsSync(initrd))
      throw new CliError(
        CliErrorCode.File,
        `there is no discovery image in ${flags.image}: "npm start" makes one, or name its folder with --image`,
      );
    await runQuick(flags, io, ({ files }) => {
      const overlay = join(files, 'rescue.cpio');
      writeFileSync(overlay, rescueInitrd());
      return {
        kernel,
        initrds: [initrd, overlay],
        cmdline: `rdinit=/rescue ${flags.cmdline}`.trim(),
        message: 'Rescue shell',
      };
    });
  });
}

function withQuickFlags(command: Command): Command {
  return command
    .option('--cmdline <text>', 'command line of the kernel; ${mac}, ${uuid} and ${serial} become the machine’s', '')
    .option('--file <path>', 'serve this file, too: as ${files}/<name> in --cmdline; may be repeated', collect, [])
    .optionsGroup('Where:')
    .option('--interface <name>', 'serve on this interface; default: the only one with an address')
    .option('--listen <address>', 'serve from this own address')
    .option('--subnet <network>', 'network to serve, as 10.0.0.0/24; default: that of the address')
    .option('--pool <first-last>', 'lease these addresses, as 10.0.0.100-10.0.0.199')
    .option('--router <address>', 'default gateway of the leases')
    .option('--proxy', 'lease none: another DHCP server does; the default without --pool')
    .option('--capture', 'answer below the sockets of a DHCP server on this very host, as libvirt has one')
    .option('--port <number>', 'TCP port of HTTP', parsePort, 8080);
}

function collect(text: string, before: readonly string[]): readonly string[] {
  return [...before, text];
}

function parsePort(text: string): number {
  const port = Number(text);
  if (!/^\d{1,5}$/.test(text) || port < 1 || port > 65_535) throw new InvalidArgumentError('Write a port, 1 to 65535.');
  return port;
}

function publish(from: string, to: string): void {
  try {
    copyFileSync(from, to);
  } catch (error) {
    throw unreadable(from, error);
  }
}
