import { readFile, stat } from 'node:fs/promises';
import type { Clock } from '@ingot/net';
import { parseConfigDb } from '../config-db/parse-config-db.ts';
import { printConfigDb } from '../config-db/print-config-db.ts';
import { writeConfigFile } from '../config-db/write-config-file.ts';
import { reasonOf, SwitchAgentError, SwitchAgentErrorCode } from '../errors.ts';
import type { Problems } from '../problems.ts';
import type { Plan, PlanInput } from './plan.ts';
import { savedRows } from './saved-rows.ts';

export interface ConfigSaverOptions {
  /** SONiC's `config_db.json`, which it loads at boot. */
  readonly file: string;
  readonly clock: Clock;
  readonly problems: Problems;
  readonly log: { info(bindings: object, message: string): void };
}

export interface ConfigSaver {
  /** After a cycle that has found nothing to do: the file gets what the switch has. Never rejects. */
  save(applied: Plan, input: Omit<PlanInput, 'config'>): Promise<void>;
}

/** A switch's flash is no place for each of many changes in a row. */
const SAVE_EVERY_MS = 60_000;
/** `config save` and editors write in place and in parts: a file that was just written may still be. */
const SETTLED_MS = 10_000;
const TOPIC = 'saved-config';
/** Beside the file: as it was before this agent last changed it. `.bak` belongs to `generate --apply`. */
const BACKUP = '.ingot-before';

/**
 * Keeps the rows of CONFIG_DB that are this agent's in the saved configuration too, so that a leaf comes up with its
 * tenants before anybody can be asked. Nothing else of the running configuration is saved.
 */
export function createConfigSaver(options: ConfigSaverOptions): ConfigSaver {
  const { file, clock, problems, log } = options;
  let compared = '';
  let notBeforeMs = 0;

  const saveNow = async (applied: Plan, input: Omit<PlanInput, 'config'>): Promise<void> => {
    const stamp = await stampOf(file);
    const state = JSON.stringify([stamp.text, applied.model, [...input.wishes.admin]]);
    const ageMs = clock.now() - stamp.modifiedMs;
    // A clock that was set back makes files of the future; those are not being written now.
    const isFresh = Math.abs(ageMs) < SETTLED_MS;
    if (state === compared || isFresh || clock.monotonic() < notBeforeMs) return;

    const text = await readFile(file, 'utf8');
    const document = parseConfigDb(file, text);
    if (!document.ok) throw fileError(`${document.problems[0] ?? file}; mend it, or "config save" writes it anew`);
    const saved = savedRows(document.value, applied, input);
    if (saved.differs) {
      const fresh = printConfigDb(saved.configDb);
      if ((await writeConfigFile(file, fresh, { backup: BACKUP, over: text })) === 'overtaken') return;
      notBeforeMs = clock.monotonic() + SAVE_EVERY_MS;
      log.info({ file }, 'saved what the API wants of this switch');
    } else {
      compared = state;
    }
    const [first] = saved.problems;
    if (first === undefined) {
      problems.clear(TOPIC);
      return;
    }
    const more = saved.problems.length > 1 ? `, and ${saved.problems.length - 1} more` : '';
    problems.report(
      TOPIC,
      `${file} lacks what the running configuration has (${first.subject}: ${first.reason}${more}); save it (config save), or a boot leaves it out`,
    );
  };

  return {
    save: async (applied, input) => {
      try {
        await saveNow(applied, input);
      } catch (error) {
        notBeforeMs = clock.monotonic() + SAVE_EVERY_MS;
        const isOurs = error instanceof SwitchAgentError;
        problems.report(
          TOPIC,
          isOurs
            ? error
            : fileError(
                `${file} cannot be kept (${reasonOf(error)}); correct savedConfigFile or its rights, or set saveConfig: false`,
              ),
        );
      }
    },
  };
}

async function stampOf(file: string): Promise<{ readonly text: string; readonly modifiedMs: number }> {
  const { ino, size, mtimeMs } = await stat(file);
  return { text: `${ino} ${size} ${mtimeMs}`, modifiedMs: mtimeMs };
}

function fileError(what: string): SwitchAgentError {
  return new SwitchAgentError(SwitchAgentErrorCode.SavedConfig, what);
}
