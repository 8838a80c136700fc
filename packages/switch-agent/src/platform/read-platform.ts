import { readdir } from 'node:fs/promises';
import { join } from 'node:path';
import { parse } from 'yaml';
import { z } from 'zod';
import { reasonOf } from '../errors.ts';
import type { SonicBuild } from './distribution.ts';
import { parseHwskuJson } from './hwsku-json.ts';
import { parsePlatformJson } from './platform-json.ts';
import type { Platform } from './platform.ts';
import { parsePortConfigIni } from './port-config-ini.ts';
import { parseEnvironment } from './sonic-environment.ts';
import { readSonicFile, readSonicFileIfThere, sonicFileError } from './sonic-file.ts';

/** Where SONiC keeps what a platform is. */
export interface PlatformPlaces {
  /** `/usr/share/sonic/device`. */
  readonly deviceDir: string;
  /** `/etc/sonic/sonic-environment`. */
  readonly environmentFile: string;
  /** `/etc/sonic/sonic_version.yml`. */
  readonly versionFile: string;
}

const version = z.object({
  branch: z.coerce.string().optional(),
  release: z.coerce.string().optional(),
  build_version: z.coerce.string().optional(),
  asic_type: z.coerce.string().optional(),
});

// Both become part of a path.
const FOLDER_NAME = /^[\w.+-]+$/;

/** Reads a platform from SONiC's files. Throws SwitchAgentError `SWITCH_SONIC_FILE`. */
export async function readPlatform(
  places: PlatformPlaces,
): Promise<{ readonly platform: Platform; readonly build: SonicBuild }> {
  const build = parseVersion(places.versionFile, await readSonicFileIfThere(places.versionFile));
  const environment = parseEnvironment(
    await readSonicFile(places.environmentFile, 'is this SONiC? --environment-file says where it is'),
  );
  const name = environment.get('PLATFORM');
  if (name === undefined || !FOLDER_NAME.test(name)) {
    throw sonicFileError(places.environmentFile, 'has no line PLATFORM=x86_64-…');
  }
  const folder = join(places.deviceDir, name);
  const hwsku = environment.get('HWSKU') ?? (await defaultHwsku(folder));
  if (hwsku === undefined || !FOLDER_NAME.test(hwsku)) {
    throw sonicFileError(places.environmentFile, `has no line HWSKU=, and ${join(folder, 'default_sku')} names none`);
  }
  // device_info.py: the SKU's own file first, the platform's else.
  const first = async (file: string): Promise<{ readonly path: string; readonly text: string } | undefined> => {
    for (const path of [join(folder, hwsku, file), join(folder, file)]) {
      const text = await readSonicFileIfThere(path);
      if (text !== undefined) return { path, text };
    }
    return undefined;
  };
  const platformFile = join(folder, 'platform.json');
  const [platformText, hwskuText, iniText] = [
    await readSonicFileIfThere(platformFile),
    await first('hwsku.json'),
    await first('port_config.ini'),
  ];
  const cages = platformText === undefined ? undefined : parsePlatformJson(platformFile, platformText);
  const hwskuPorts =
    hwskuText === undefined || cages === undefined ? undefined : parseHwskuJson(hwskuText.path, hwskuText.text);
  const iniPorts = iniText === undefined ? undefined : parsePortConfigIni(iniText.path, iniText.text);
  if (cages === undefined && iniPorts === undefined) {
    const known = await folders(places.deviceDir);
    const hint = known.includes(name)
      ? `has neither a platform.json with interfaces nor ${join(hwsku, 'port_config.ini')}`
      : `does not exist; --device-dir has ${known.length === 0 ? 'no platform' : known.join(', ')}`;
    throw sonicFileError(folder, hint);
  }
  return { platform: { name, hwsku, asicType: build.asicType, cages, hwskuPorts, iniPorts }, build };
}

/** Dell's and others' images have no HWSKU in the environment: `default_sku` is `<hwsku> <topology>`. */
async function defaultHwsku(folder: string): Promise<string | undefined> {
  const text = await readSonicFileIfThere(join(folder, 'default_sku'));
  return text?.trim().split(/\s+/)[0];
}

function parseVersion(file: string, text: string | undefined): SonicBuild & { readonly asicType: string | undefined } {
  if (text === undefined) return { asicType: undefined };
  let yaml: unknown;
  try {
    // As texts: a branch 202311 is no number.
    yaml = parse(text, { schema: 'failsafe' });
  } catch (error) {
    throw sonicFileError(file, `is not YAML (${reasonOf(error)})`, error);
  }
  const parsed = version.safeParse(yaml ?? {});
  if (!parsed.success) throw sonicFileError(file, 'is no list of names and values');
  const { branch, release, build_version: buildVersion, asic_type: asicType } = parsed.data;
  return { branch, release, buildVersion, asicType };
}

async function folders(path: string): Promise<readonly string[]> {
  try {
    const entries = await readdir(path, { withFileTypes: true });
    return entries.flatMap((entry) => (entry.isDirectory() ? [entry.name] : [])).toSorted();
  } catch {
    return [];
  }
}
