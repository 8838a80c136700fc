import { realpathSync } from 'node:fs';
import { dirname } from 'node:path';
import { bootServerConfig, type BootServerConfig } from '@ingot/boot-server';
import { CliError, CliErrorCode } from '../errors.ts';
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
  readonly port: number;
  /** A folder of this run alone. */
  readonly folder: string;
}

/** A configuration in memory: one profile, for everyone. Throws CliError. */
export function quickConfig(boot: QuickBoot, options: QuickOptions): BootServerConfig {
  const { place, pool, router, port, folder } = options;
  const files = [boot.kernel, ...boot.initrds].map(fileOf);
  const [kernel, ...initrd] = files;
  const parsed = bootServerConfig.parse({
    partition: 'quick',
    dataDir: `${folder}/data`,
    advertiseAddress: place.address,
    dhcp: {
      listen: [place.address],
      mode: pool === undefined ? 'proxy' : 'server',
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
    artifacts: { roots: files.filter((file) => file.startsWith('/')).map((file) => dirname(file)) },
    sources: {
      profiles: {
        inline: [{ name: 'everyone', kernel, initrd, cmdline: boot.cmdline, message: boot.message }],
      },
    },
  });
  if (parsed.success) return parsed.data;
  const [issue] = parsed.error.issues;
  throw new CliError(CliErrorCode.Argument, `${issue?.path.join('.') ?? ''}: ${issue?.message ?? ''}`);
}

/** The file itself, wherever links lead: only its folder is served. */
function fileOf(file: string): string {
  if (/^https?:\/\//.test(file)) return file;
  try {
    return realpathSync(file);
  } catch (error) {
    const reason = error instanceof Error ? error.message : String(error);
    throw new CliError(CliErrorCode.File, `${file} cannot be read: ${reason}`, error);
  }
}
