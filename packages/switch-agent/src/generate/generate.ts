import { parseYamlDocument, pathText } from '@ingot/daemon';
import type { ConfigDb } from '../config-db/config-db.ts';
import type { Distribution } from '../platform/distribution.ts';
import { printable } from '../printable.ts';
import type { Platform } from '../platform/platform.ts';
import { addInterfaces } from './interfaces.ts';
import { addManagement } from './management.ts';
import { checkMasters } from './masters.ts';
import { checkAddresses } from './addresses.ts';
import { addPortChannels } from './port-channels.ts';
import { addPorts } from './ports.ts';
import type { Path, Report } from './report.ts';
import { addServices } from './services.ts';
import type { SonicConfig } from './sonic-config.ts';
import { RETIRED_KEYS, sonicConfigSchema } from './sonic-config-schema.ts';
import { createTables, type Tables } from './tables.ts';
import { addVlans } from './vlans.ts';
import { addVxlan } from './vxlan.ts';

/** The switch that a configuration is generated for. */
export interface Target {
  readonly platform: Platform;
  readonly distribution: Distribution;
  /** The MAC address of eth0, which SONiC builds its own addresses from. */
  readonly mac: string;
}

/** A finished configuration, or every problem with it: one line each, with file, line and column. */
export type Generated =
  | {
      readonly ok: true;
      readonly configDb: ConfigDb;
      /** What is done otherwise than written; as the problems, with file, line and column. */
      readonly notes: readonly string[];
    }
  | { readonly ok: false; readonly problems: readonly string[] };

/** What the rules below read, and where they write. */
export interface Generation extends Target {
  readonly config: SonicConfig;
  readonly tables: Tables;
  readonly report: Report;
}

/** The `config_db.json` of a `sonic-config.yaml`. `name` is for the messages only. Same input, same output. */
export function generateConfigDb(name: string, text: string, target: Target): Generated {
  const document = parseYamlDocument(name, text, sonicConfigSchema, { asTexts: true });
  if (!document.ok) return document;
  const problems: string[] = [];
  const notes: string[] = [];
  const line = (path: Path, words: string): string =>
    // Without a path it is the platform's files that are wrong.
    printable(path.length === 0 ? words : `${document.locate(path)}: ${pathText(path)}: ${words}`);
  const report: Report = {
    problem: (path, words) => problems.push(line(path, words)),
    note: (path, words) => notes.push(line(path, words)),
  };
  const config = document.value;
  const tables = createTables();
  const generation: Generation = { ...target, config, tables, report };
  for (const [key, words] of Object.entries(RETIRED_KEYS)) {
    if (Object.hasOwn(config, key)) report.note([key], `is of an older generator and not used: ${words}`);
  }
  addPorts(generation);
  addPortChannels(generation);
  addVlans(generation);
  addInterfaces(generation);
  addVxlan(generation);
  addManagement(generation);
  addServices(generation);
  checkMasters(generation);
  checkAddresses(generation);
  return problems.length > 0 ? { ok: false, problems } : { ok: true, configDb: tables.toConfigDb(), notes };
}
