import { systemClock, type Clock } from '@ingot/net';
import type { ConfigDb } from '../config-db/config-db.ts';
import { codeOrder, naturalOrder } from '../config-db/natural-order.ts';
import { checkByModels } from '../yang/check-by-models.ts';
import type { Finding } from '../yang/finding.ts';
import { openYangModels } from '../yang/yang-models.ts';
import { checkAddresses } from './addresses.ts';
import { checkMasters } from './masters.ts';
import { checkPortIdentity } from './port-identity.ts';
import { checkReferences } from './references.ts';
import { checkVxlan } from './vxlan.ts';

// Nobody mends more before the next look.
const MAX_FINDINGS = 1_000;

export interface Validation {
  /** No finding is an error, and the search did not end early. */
  readonly isValid: boolean;
  /** By table and row. */
  readonly findings: readonly Finding[];
  /** False when there was so much to find that the search ended early. */
  readonly isComplete: boolean;
}

export interface ValidatorOptions {
  /** Of SONiC's YANG models: `/usr/local/yang-models` of a switch, or the folder of its sources that holds `yang-models`. */
  readonly modelsDir: string;
  /** Ends yanglint; whatever is being validated rejects with its reason. */
  readonly signal: AbortSignal;
  /** Tables without a model are errors, as they are for SONiC's generic updater. Default false: warnings. */
  readonly strictTables?: boolean;
  readonly clock?: Clock;
}

/** Validates any number of configurations with models that are loaded once. */
export interface Validator extends AsyncDisposable {
  /** Rejects with SwitchAgentError `SWITCH_YANGLINT` when yanglint dies or hangs; it is of no use then. */
  validate(configDb: ConfigDb): Promise<Validation>;
}

/** Rejects with SwitchAgentError: `SWITCH_YANGLINT`, `SWITCH_YANG_MODELS`. */
export async function openValidator(options: ValidatorOptions): Promise<Validator> {
  const { modelsDir, signal, strictTables = false, clock = systemClock } = options;
  const models = await openYangModels({ modelsDir, clock, signal });
  return {
    validate: async (configDb) => {
      const { findings, unmodelled, isComplete } = await checkByModels(configDb, models, clock);
      const own = checkRows(configDb);
      const known = new Set(own.filter(({ severity }) => severity === 'error').map(placeOf));
      const found = [
        ...own,
        // Of two words for one thing, ours say more.
        ...findings.filter((finding) => !known.has(placeOf(finding))),
        ...unmodelled.map((table) => withoutModel(table, strictTables)),
      ];
      const all = found.toSorted(bySeverity).slice(0, MAX_FINDINGS);
      const isWhole = isComplete && all.length === found.length;
      return {
        isValid: isWhole && all.every(({ severity }) => severity !== 'error'),
        findings: all.toSorted(byPlace),
        isComplete: isWhole,
      };
    },
    [Symbol.asyncDispose]: () => models[Symbol.asyncDispose](),
  };
}

/** One configuration. See {@link openValidator} for several. */
export async function validateConfigDb(configDb: ConfigDb, options: ValidatorOptions): Promise<Validation> {
  await using validator = await openValidator(options);
  return await validator.validate(configDb);
}

/** What the models lack, and what they say in fewer words. Needs no models. */
export function checkRows(configDb: ConfigDb): readonly Finding[] {
  const emptyTables = Object.entries(configDb)
    .filter(([, rows]) => Object.keys(rows).length === 0)
    .map(([table]): Finding => ({
      severity: 'warning',
      table,
      message: 'has no rows; leave the table out, or SONiC’s generic updater refuses every change',
    }));
  return [
    ...emptyTables,
    ...checkReferences(configDb),
    ...checkMasters(configDb),
    ...checkAddresses(configDb),
    ...checkVxlan(configDb),
    ...checkPortIdentity(configDb),
  ];
}

function withoutModel(table: string, strictTables: boolean): Finding {
  const message = 'no YANG model describes this table, so its rows are not checked';
  return { severity: strictTables ? 'error' : 'warning', table, message };
}

/** Errors first. */
function bySeverity(left: Finding, right: Finding): number {
  return codeOrder(left.severity, right.severity);
}

/** `TABLE|key field`; the field is '' for the row. */
function placeOf({ table, key = '', field = '' }: Finding): string {
  return `${table}|${key} ${field}`;
}

function byPlace(left: Finding, right: Finding): number {
  return (
    codeOrder(left.table, right.table) ||
    naturalOrder(left.key ?? '', right.key ?? '') ||
    codeOrder(left.field ?? '', right.field ?? '')
  );
}
