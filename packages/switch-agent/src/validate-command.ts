import { parseArgs } from 'node:util';
import type { CommandSurroundings } from './command-surroundings.ts';
import { parseConfigDb, type ConfigDbDocument } from './config-db/parse-config-db.ts';
import { reasonOf, SwitchAgentError, SwitchAgentErrorCode } from './errors.ts';
import { ExitStatus } from './exit-status.ts';
import { readText } from './validate/read-text.ts';
import { openValidator, type Validation, type Validator } from './validate/validate.ts';
import { printFinding } from './yang/finding.ts';

/** Where SONiC's images have them. */
const MODELS_OF_A_SWITCH = '/usr/local/yang-models';

const USAGE = `ingot-switch validate [--yang-models DIR] [--strict-tables] [--json] FILE...

Checks config_db.json files ("-" is standard input) with SONiC's own YANG models through yanglint, and what the
models leave out: two masters of one port, overlapping addresses, a VNI used twice, rows that name what is not there.

  --yang-models DIR  of the models (default: $INGOT_YANG_MODELS, or ${MODELS_OF_A_SWITCH} of a switch); the folder
                     of SONiC's sources with yang-models and yang-templates will do as well
  --strict-tables    a table without a model is an error, as for SONiC's generic updater
  --json             for programs

Status: 0 all are valid, 1 one is not, 2 it could not be found out.
`;

interface Checked {
  readonly file: string;
  readonly problems: readonly string[];
  readonly validation?: Validation;
  readonly document?: Extract<ConfigDbDocument, { ok: true }>;
}

/** `ingot-switch validate`; resolves to the exit status. */
export async function validateCommand(args: readonly string[], surroundings: CommandSurroundings): Promise<number> {
  const { out, err, env, signal } = surroundings;
  const options = optionsOf(args);
  if (typeof options === 'string') {
    err(`ingot-switch validate: ${options}\n\n${USAGE}`);
    return ExitStatus.Failed;
  }
  if (options.help) {
    out(USAGE);
    return ExitStatus.Done;
  }
  const modelsDir = options.modelsDir ?? env['INGOT_YANG_MODELS'] ?? MODELS_OF_A_SWITCH;
  try {
    await using validator = await openValidator({ modelsDir, signal, strictTables: options.strictTables });
    const checked: Checked[] = [];
    for (const file of options.files) {
      const each = await check(file, validator, signal);
      checked.push(each);
      if (!options.json) out(printChecked(each));
    }
    if (options.json) out(`${JSON.stringify(checked.map(jsonOf), null, 2)}\n`);
    return checked.every(({ validation }) => validation?.isValid === true) ? ExitStatus.Done : ExitStatus.Found;
  } catch (error) {
    if (!(error instanceof SwitchAgentError) && !signal.aborted) throw error;
    const isModels = error instanceof SwitchAgentError && error.code === SwitchAgentErrorCode.YangModels;
    err(`ingot-switch validate: ${reasonOf(error)}${isModels ? '; --yang-models names another folder' : ''}\n`);
    return ExitStatus.Failed;
  }
}

async function check(file: string, validator: Validator, signal: AbortSignal): Promise<Checked> {
  const document = parseConfigDb(file, await readText(file, signal));
  if (!document.ok) return { file, problems: document.problems };
  return { file, problems: [], document, validation: await validator.validate(document.value) };
}

function printChecked({ file, problems, validation, document }: Checked): string {
  if (validation === undefined || document === undefined) {
    return `${problems.join('\n')}\n${file}: cannot be understood\n`;
  }
  const { findings, isComplete, isValid } = validation;
  const lines = findings.map((finding) => {
    const { table, key, field } = finding;
    return `${document.locate([table, key, field].filter((name) => name !== undefined))}: ${printFinding(finding)}`;
  });
  if (!isComplete) lines.push(`${file}: there is more to find when these are mended`);
  const count = (severity: string): number => findings.filter((finding) => finding.severity === severity).length;
  const [errors, warnings] = [count('error'), count('warning')];
  const numbers = [
    ...(errors > 0 ? [plural(errors, 'error')] : []),
    ...(warnings > 0 ? [plural(warnings, 'warning')] : []),
  ];
  lines.push(`${file}: ${isValid ? 'valid' : 'not valid'}${numbers.length === 0 ? '' : `, ${numbers.join(', ')}`}`);
  return `${lines.join('\n')}\n`;
}

function plural(count: number, word: string): string {
  return `${count} ${word}${count === 1 ? '' : 's'}`;
}

function jsonOf({ file, problems, validation }: Checked): object {
  const { isValid = false, isComplete = false, findings = [] } = validation ?? {};
  return { file, isValid, isComplete, problems, findings };
}

interface Options {
  readonly help: boolean;
  readonly json: boolean;
  readonly strictTables: boolean;
  readonly modelsDir: string | undefined;
  readonly files: readonly string[];
}

/** The options, or what is wrong with them. */
function optionsOf(args: readonly string[]): Options | string {
  try {
    const { values, positionals: files } = parseArgs({
      args: [...args],
      allowPositionals: true,
      options: {
        help: { type: 'boolean', short: 'h', default: false },
        json: { type: 'boolean', default: false },
        'strict-tables': { type: 'boolean', default: false },
        'yang-models': { type: 'string' },
      },
    });
    if (files.length === 0 && !values.help) return 'which file?';
    return {
      help: values.help,
      json: values.json,
      strictTables: values['strict-tables'],
      modelsDir: values['yang-models'],
      files,
    };
  } catch (error) {
    return reasonOf(error);
  }
}
