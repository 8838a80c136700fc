import type { CommandSurroundings } from '../command-surroundings.ts';
import type { ConfigDb } from '../config-db/config-db.ts';
import { diffConfigDb, type RowChange } from '../config-db/diff-config-db.ts';
import { jsonPatchOf } from '../config-db/json-patch.ts';
import { parseConfigDb } from '../config-db/parse-config-db.ts';
import { printConfigDb } from '../config-db/print-config-db.ts';
import { writeConfigFile } from '../config-db/write-config-file.ts';
import { reasonOf } from '../errors.ts';
import { ExitStatus } from '../exit-status.ts';
import { detectDistribution, distributionOf } from '../platform/distribution.ts';
import { readPlatform } from '../platform/read-platform.ts';
import { readSonicFile, readSonicFileIfThere, sonicFileError } from '../platform/sonic-file.ts';
import { afterReload, withVersionOf } from './after-reload.ts';
import { tenantVrfs, withDaemonRows } from './daemon-rows.ts';
import { generateConfigDb, type Target } from './generate.ts';
import { generateUsage, parseGenerateOptions, type GenerateOptions } from './generate-options.ts';
import { keepOthers } from './keep-others.ts';
import { diffLines, summaryLines } from './print-diff.ts';
import { summarise } from './reload-needs.ts';

/** What is taken for SONiC when its version file says nothing that is known. */
const NEWEST = 'community-202511';
const APPLY_TO = '/etc/sonic/config_db.json';

/** `ingot-switch generate`. Never rejects: what is wrong is said, and the exit status tells. */
export async function generateCommand(args: readonly string[], surroundings: CommandSurroundings): Promise<number> {
  const { out, err } = surroundings;
  let options: GenerateOptions | 'help';
  try {
    options = parseGenerateOptions(args);
  } catch (error) {
    err(`${reasonOf(error)}\n\n${generateUsage}`);
    return ExitStatus.Failed;
  }
  if (options === 'help') {
    out(generateUsage);
    return ExitStatus.Done;
  }
  try {
    return await generate(options, surroundings);
  } catch (error) {
    err(`${reasonOf(error)}\n`);
    return ExitStatus.Failed;
  }
}

async function generate(options: GenerateOptions, { out, err, signal }: CommandSurroundings): Promise<number> {
  const { inputFile, outputFile, diff, apply, keep, besideRun } = options;
  /** Whether what a switch would get is not known before the file is read that it goes into. */
  const isMerged = keep || besideRun;
  const input = await readSonicFile(inputFile, '-i says where the YAML is');
  const target = await readTarget(options, (words) => err(`${words}\n`));
  const generated = generateConfigDb(inputFile, input, target);
  if (!generated.ok) {
    err(generated.problems.map((problem) => `${problem}\n`).join(''));
    return ExitStatus.Failed;
  }
  for (const note of generated.notes) err(`note: ${note}\n`);
  const { configDb } = generated;
  /** Whether SONiC's models take what a switch would get; says why not. */
  const isAccepted = async (result: ConfigDb): Promise<boolean> => {
    if (options.yangModels === undefined) return true;
    const refusals = await refusalsOf(result, options.yangModels, signal);
    err(lines(refusals));
    return refusals.length === 0;
  };
  if (!isMerged && !(await isAccepted(configDb))) return ExitStatus.Failed;

  let status: ExitStatus = ExitStatus.Done;
  if (diff !== undefined) {
    const before = diff === 'running' ? await readRunning(options) : await readSaved(diff);
    const compared = await compare(options, before, configDb, diff !== 'running');
    const tenants = tenantVrfs(compared.before, compared.after);
    if (tenants.length > 0)
      err(`note: among what goes is what tenants have (${tenants.join(', ')}); --beside-run leaves it\n`);
    if (isMerged && !(await isAccepted(compared.after))) return ExitStatus.Failed;
    if (options.patch)
      out(`${JSON.stringify(jsonPatchOf(compared.before, compared.after, compared.changes), null, 4)}\n`);
    else out(lines([...diffLines(compared.changes), ...summaryOf(compared.changes)]));
    if (compared.changes.length > 0) status = ExitStatus.Found;
  }
  if (apply || outputFile !== undefined) {
    const path = outputFile ?? APPLY_TO;
    const saved = await readSavedIfGood(path, isMerged);
    const kept = keep ? keepOthers(saved ?? {}, configDb) : configDb;
    const result = besideRun ? withDaemonRows(saved ?? {}, kept) : kept;
    if (isMerged && !(await isAccepted(result))) return ExitStatus.Failed;
    const written = await writeConfigFile(path, printConfigDb(result));
    err(`${path}: ${written}${written === 'replaced' ? `, the one before is ${path}.bak` : ''}\n`);
    if (apply && saved !== undefined) err(lines(summaryOf((await compare(options, saved, configDb, true)).changes)));
    return ExitStatus.Done;
  }
  if (diff === undefined) out(printConfigDb(configDb));
  return status;
}

interface Compared {
  readonly before: ConfigDb;
  readonly after: ConfigDb;
  readonly changes: readonly RowChange[];
}

/** What a reload, or with `--keep` the new tables alone, would change. A saved configuration is reloaded too. */
async function compare(
  { keep, besideRun, initFile }: GenerateOptions,
  saved: ConfigDb,
  configDb: ConfigDb,
  isSaved: boolean,
): Promise<Compared> {
  const init = keep ? {} : await readInit(initFile);
  const before = isSaved ? afterReload(init, saved) : saved;
  const wanted = keep ? keepOthers(before, configDb) : withVersionOf(before, afterReload(init, configDb));
  const after = besideRun ? withDaemonRows(before, wanted) : wanted;
  return { before, after, changes: diffConfigDb(before, after) };
}

async function readTarget(options: GenerateOptions, note: (words: string) => void): Promise<Target> {
  const { platform, build } = await readPlatform(options);
  const mac = (await readSonicFile(options.macFile, 'is eth0 there? --mac-file says where its MAC is')).trim();
  if (!/^[0-9a-fA-F]{2}(?::[0-9a-fA-F]{2}){5}$/.test(mac)) throw sonicFileError(options.macFile, 'has no MAC address');
  const detected = options.distribution ?? detectDistribution(build);
  if (detected === undefined) {
    note(`note: ${options.versionFile} names no known SONiC; taken for ${NEWEST}, --distribution says otherwise`);
  }
  return { platform, mac, distribution: distributionOf(detected ?? NEWEST) };
}

async function readInit(file: string): Promise<ConfigDb> {
  const text = await readSonicFileIfThere(file);
  return text === undefined ? {} : parsed(file, text);
}

/** What SONiC's models, and the rules that they lack, have against a configuration. */
async function refusalsOf(configDb: ConfigDb, modelsDir: string, signal: AbortSignal): Promise<readonly string[]> {
  const [{ validateConfigDb }, { printFinding }] = await Promise.all([
    import('../validate/validate.ts'),
    import('../yang/finding.ts'),
  ]);
  const { isValid, findings } = await validateConfigDb(configDb, { modelsDir, signal });
  return isValid ? [] : [...findings.map(printFinding), `what would be generated is not valid by ${modelsDir}`];
}

async function readRunning({ databaseConfig }: GenerateOptions): Promise<ConfigDb> {
  // The Redis client takes longer to load than everything else to run.
  const { readRunningConfig } = await import('./running-config.ts');
  return readRunningConfig(databaseConfig);
}

async function readSaved(file: string): Promise<ConfigDb> {
  return parsed(file, await readSonicFile(file, '--diff takes the path of a config_db.json, or the word running'));
}

/** The configuration that stands in a file; undefined when there is none, or, unless it is needed, none that is right. */
async function readSavedIfGood(file: string, isNeeded: boolean): Promise<ConfigDb | undefined> {
  const text = await readSonicFileIfThere(file);
  if (text === undefined) return undefined;
  if (isNeeded) return parsed(file, text);
  const document = parseConfigDb(file, text);
  return document.ok ? document.value : undefined;
}

function parsed(file: string, text: string): ConfigDb {
  const document = parseConfigDb(file, text);
  if (document.ok) return document.value;
  throw new Error(document.problems.join('\n'));
}

function summaryOf(changes: readonly RowChange[]): readonly string[] {
  return summaryLines(summarise(changes));
}

function lines(texts: readonly string[]): string {
  return texts.map((text) => `${text}\n`).join('');
}
