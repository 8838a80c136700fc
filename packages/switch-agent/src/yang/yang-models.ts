import { mkdtemp, readFile, rm, rmdir, stat, writeFile } from 'node:fs/promises';
import { tmpdir, userInfo } from 'node:os';
import { join } from 'node:path';
import type { Clock } from '@ingot/net';
import { SwitchAgentError, SwitchAgentErrorCode } from '../errors.ts';
import { readModelFiles, type ModelFile } from './model-files.ts';
import { indexModels, type ModelIndex } from './model-index.ts';
import { requireYanglint, unusable } from './yanglint.ts';
import { MAX_COMMAND_BYTES, startYanglint, type YanglintSession } from './yanglint-session.ts';

/**
 * A leaf of our own at the end of all instance data. What yanglint accepts it prints, but of a configuration with empty
 * containers only that is nothing: the leaf is always there.
 */
const PROOF = {
  module: 'ingot-proof',
  text: 'module ingot-proof { namespace "urn:ingot:proof"; prefix proof; leaf proof { type string; } }\n',
  xml: '<proof xmlns="urn:ingot:proof">accepted</proof>\n',
};

/** SONiC's models, loaded and ready to check any number of configurations, one after the other. */
export interface YangModels extends AsyncDisposable {
  readonly index: ModelIndex;
  /** Checks instance data: undefined when it is valid, else what libyang says of the first thing that is not. */
  check(xml: string): Promise<string | undefined>;
  /** What the models say of a node, compiled; '' when there is none. */
  describe(schemaPath: string): Promise<string>;
}

export interface YangModelsOptions {
  /** Of the models; see `readModelFiles`. */
  readonly modelsDir: string;
  readonly clock: Clock;
  /** Ends yanglint, now and later. */
  readonly signal: AbortSignal;
}

/**
 * Loads the models into a yanglint of their own, in a folder of their own that goes with it.
 *
 * Rejects with SwitchAgentError: `SWITCH_YANG_MODELS` for models that do not load, `SWITCH_YANGLINT` for yanglint itself.
 */
export async function openYangModels({ modelsDir, clock, signal }: YangModelsOptions): Promise<YangModels> {
  const models = await readModelFiles(modelsDir);
  await requireYanglint(signal);
  const folder = await mkdtemp(join(tmpdir(), 'ingot-yang-'));
  await using unfinished = new AsyncDisposableStack();
  unfinished.defer(() => rm(folder, { recursive: true, force: true }));
  unfinished.defer(await leaveHomeAsItIs());
  const session = unfinished.use(startYanglint({ folder, clock, signal }));
  const files = [...models, PROOF];
  await Promise.all(files.map(({ module, text }) => writeFile(join(folder, `${module}.yang`), text)));
  await load(session, files, modelsDir);
  const index = indexModels(await printTrees(session, models, folder), models);
  if (index.size === 0) {
    throw new SwitchAgentError(
      SwitchAgentErrorCode.YangModels,
      `the YANG models in ${modelsDir} describe no table of CONFIG_DB; are they SONiC's?`,
    );
  }
  const open = unfinished.move();
  return {
    index,
    check: (xml) => check(session, folder, xml),
    describe: async (schemaPath) => {
      const output = join(folder, 'node');
      await rm(output, { force: true });
      await session.command(`print -f info -q -P ${schemaPath} -o node`);
      return readFile(output, 'utf8').catch(() => '');
    },
    [Symbol.asyncDispose]: () => open.disposeAsync(),
  };
}

/** yanglint makes a folder for its history, which stays empty: what it makes goes when it has ended. */
async function leaveHomeAsItIs(): Promise<() => Promise<void>> {
  let home: string;
  try {
    // As yanglint finds it: by the user, not by $HOME.
    home = userInfo().homedir;
  } catch {
    // A user without an entry in passwd has none, for yanglint either.
    return async () => undefined;
  }
  const history = join(home, '.yanglint');
  const wasThere = await stat(history).then(
    () => true,
    () => false,
  );
  return async () => {
    // Refused when there is something in it.
    if (!wasThere) await rmdir(history).catch(() => undefined);
  };
}

async function load(
  session: YanglintSession,
  models: ReadonlyArray<Pick<ModelFile, 'module'>>,
  modelsDir: string,
): Promise<void> {
  // No warnings: the models themselves cause many.
  await session.command('verb error');
  await session.command('searchpath .');
  for (const line of commandLines(
    // Implemented, all of them: "must" is not looked at in a module that is only imported.
    'add -i',
    models.map(({ module }) => `${module}.yang`),
  )) {
    const complaint = await session.command(line);
    if (complaint === '') continue;
    const first = complaint.split('\n')[0] ?? '';
    throw new SwitchAgentError(
      SwitchAgentErrorCode.YangModels,
      `yanglint cannot load the YANG models in ${modelsDir}: ${first}`,
    );
  }
}

async function printTrees(session: YanglintSession, models: readonly ModelFile[], folder: string): Promise<string> {
  const trees: string[] = [];
  const modules = models.map(({ module }) => module);
  for (const line of commandLines('print -f tree -o tree', modules)) {
    const complaint = await session.command(line);
    if (complaint !== '') throw unusable(`yanglint does not print the models: ${complaint}`);
    trees.push(await readFile(join(folder, 'tree'), 'utf8'));
  }
  return trees.join('\n');
}

async function check(session: YanglintSession, folder: string, xml: string): Promise<string | undefined> {
  const output = join(folder, 'accepted.xml');
  // It may hold passwords.
  await writeFile(join(folder, 'instance.xml'), xml + PROOF.xml, { mode: 0o600 });
  await rm(output, { force: true });
  const complaint = await session.command('data -t config -f xml -o accepted.xml instance.xml');
  if (complaint !== '') return complaint;
  // No complaint proves nothing, as when a newer yanglint complains elsewhere: only data that it took is printed.
  const printed = await stat(output).catch(() => undefined);
  if ((printed?.size ?? 0) === 0) throw unusable('yanglint neither takes the configuration nor says what is wrong');
  return undefined;
}

function commandLines(command: string, words: readonly string[]): readonly string[] {
  const lines: string[] = [];
  let line = command;
  for (const word of words) {
    if (line.length + word.length >= MAX_COMMAND_BYTES) {
      lines.push(line);
      line = command;
    }
    line += ` ${word}`;
  }
  return [...lines, line];
}
