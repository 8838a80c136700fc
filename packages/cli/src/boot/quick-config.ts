import { accessSync, constants, realpathSync, statSync } from 'node:fs';
import { dirname } from 'node:path';
import { bootServerConfig, type BootServerConfig } from '@ingot/boot-server';
import { CliError, CliErrorCode } from '../errors.ts';
import { unreadable } from '../read-file.ts';
import type { Place } from './quick-place.ts';

/** What everyone boots. */
export interface QuickBoot {
  /** Path or http(s) URL. */
  readonly kernel: string;
  readonly initrds: readonly string[];
  /** `${mac}`, `${uuid}` and the like become the machine's. */
  readonly cmdline: string;
  /** Printed on each machine's console. */
  readonly message: string;
}

export interface QuickOptions {
  readonly place: Place;
  /** Undefined: beside another DHCP server. */
  readonly pool: string | undefined;
  readonly router: string | undefined;
  /** Below the sockets of a DHCP server on this host. */
  readonly capture: boolean;
  readonly port: number;
  /** A folder of this run alone. */
  readonly folder: string;
  /** Files that links in the published folder lead to. */
  readonly linked: readonly string[];
}

/** A configuration in memory: one profile, for everyone. Throws CliError. */
export function quickConfig(boot: QuickBoot, options: QuickOptions): BootServerConfig {
  const { place, pool, router, capture, port, folder, linked } = options;
  const files = [boot.kernel, ...boot.initrds].map(fileOf);
  const [kernel, ...initrd] = files;
  const local = [...files.filter((file) => file.startsWith('/')), ...linked];
  const localBytes = local.reduce((sum, file) => sum + statSync(file).size, 0);
  const parsed = bootServerConfig.parse({
    partition: 'quick',
    dataDir: `${folder}/data`,
    advertiseAddress: place.address,
    dhcp: {
      listen: [place.address],
      mode: pool === undefined ? 'proxy' : 'server',
      capture,
      subnets: [
        {
          subnet: place.subnet,
          ...(pool === undefined ? {} : { pool }),
          ...(router === undefined ? {} : { routers: [router] }),
        },
      ],
    },
    http: { listen: `${place.address}:${port}` },
    tftp: { root: `${folder}/files` },
    artifacts: {
      roots: local.map((file) => dirname(file)),
      // All of them at once, and the boot loaders: at least as much as a boot server has.
      maxBytes: Math.max(2 ** 30, localBytes + 2 ** 26),
    },
    sources: {
      profiles: {
        inline: [
          {
            name: 'everyone',
            kernel,
            initrd,
            cmdline: boot.cmdline,
            message: boot.message,
            vars: { files: `http://${place.address}:${port}/boot` },
          },
        ],
      },
    },
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CliError(CliErrorCode.Argument, inFlags(`${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`));
}

/** Settings, as the boot server names them, in the words of those who have a command line only. */
const FLAGS: readonly (readonly [setting: RegExp, flag: string])[] = [
  [/\bdhcp\.subnets(?:\[0\]|\.0)\.pool\b/g, '--pool'],
  [/\bdhcp\.subnets(?:\[0\]|\.0)\.routers(?:\.0)?\b/g, '--router'],
  [/\bdhcp\.subnets(?:\[0\]|\.0)\.subnet\b/g, '--subnet'],
  [/\bsources\.profiles\.inline\[0\]: profile "everyone"/g, '--cmdline'],
  [/\bin mode proxy set dhcp\.capture: true\b/g, 'without --pool take --capture'],
  [/\bdhcp\.capture(?:: true)?\b/g, '--capture'],
  [/\ban address of its own, in dhcp\.listen and advertiseAddress\b/g, 'another address with --listen'],
  [/\bchange http\.listen\b/g, 'take another with --port'],
  [/\bports below 1024 need CAP_NET_BIND_SERVICE.*$/g, 'ports below 1024 are for root: run it as root'],
  [/: raise artifacts\.maxBytes\b/g, ': that takes a configuration, with artifacts.maxBytes'],
  [/: see ipxe\.files\b/g, ': that takes a configuration, with ipxe.files'],
];

/** What the boot server says of its settings, said of the flags that they came from. */
export function inFlags(message: string): string {
  return FLAGS.reduce((text, [setting, flag]) => text.replace(setting, flag), message);
}

/** The file itself, wherever links lead: only its folder is served. */
export function fileOf(file: string): string {
  if (/^https?:\/\//.test(file)) return file;
  if (/^[a-z][a-z\d+.-]*:\/\//i.test(file))
    throw new CliError(CliErrorCode.Argument, `${file}: name a file, or an http or https URL`);
  let path: string;
  try {
    path = realpathSync(file);
    accessSync(path, constants.R_OK);
  } catch (error) {
    throw unreadable(file, error);
  }
  if (!statSync(path).isFile()) throw new CliError(CliErrorCode.File, `${file} is no file: name the file to load`);
  return path;
}
