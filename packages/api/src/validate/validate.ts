import type { DescField, DescMessage, Message } from '@bufbuild/protobuf';
import { isFieldSet } from '@bufbuild/protobuf';
import { reflect, type ReflectMessage } from '@bufbuild/protobuf/reflect';
import { DurationSchema, FeatureSet_FieldPresence, TimestampSchema } from '@bufbuild/protobuf/wkt';
import { checkKey, checkValue } from './check-value.ts';
import type { FieldRule } from './rule.ts';
import { ruleTable } from './rule-table.ts';

/** One field that is not as the contract asks. */
export interface Violation {
  /** Such as `hardware.nics[2].mac`. */
  readonly path: string;
  /** Such as `must be a MAC address …`. */
  readonly reason: string;
}

// Only neighbours of neighbours nest, and nothing real goes deeper than two.
const MAX_DEPTH = 16;
// A hostile message may break a rule a million times; the first ones are enough to mend it.
const MAX_VIOLATIONS = 100;

const TIMES: ReadonlySet<string> = new Set([DurationSchema.typeName, TimestampSchema.typeName]);

/**
 * Checks a message against the contract's field rules, everything below it included.
 * Returns all violations in field order (the first 100), none if the message is good.
 */
export function validate(schema: DescMessage, message: Message, now: number): Violation[] {
  const violations: Violation[] = [];
  visit({ message: reflect(schema, message), path: '', depth: 0, now, violations });
  return violations;
}

/** All violations as one sentence. */
export function describeViolations(violations: readonly Violation[]): string {
  return violations.map(({ path, reason }) => `${path} ${reason}`).join('; ');
}

interface Visit {
  readonly message: ReflectMessage;
  readonly path: string;
  readonly depth: number;
  readonly now: number;
  readonly violations: Violation[];
}

function visit(at: Visit): void {
  const rules = ruleTable[at.message.desc.typeName];
  for (const field of at.message.fields) {
    if (at.violations.length >= MAX_VIOLATIONS) return;
    visitField(at, field, rules?.[field.name]);
  }
}

function visitField(at: Visit, field: DescField, rule: FieldRule | undefined): void {
  const path = at.path === '' ? field.name : `${at.path}.${field.name}`;
  const report = (reason: string, suffix = ''): void => {
    if (at.violations.length < MAX_VIOLATIONS) at.violations.push({ path: path + suffix, reason });
  };
  const set = isFieldSet(at.message.message, field);
  if (rule?.required === true && !set) {
    report('is required');
    return;
  }
  switch (field.fieldKind) {
    case 'message':
      if (!set) return;
      if (rule !== undefined && TIMES.has(field.message.typeName)) {
        checkValue(at.message.get(field), field, rule, at.now, report);
      }
      descend(at, at.message.get(field), path);
      return;
    case 'list': {
      const list = at.message.get(field);
      if (rule?.items !== undefined) checkCount(list.size, rule.items, report);
      const seen = new Set<unknown>();
      let index = 0;
      for (const item of list) {
        const suffix = `[${index}]`;
        if (field.listKind === 'message') descend(at, item, path + suffix);
        else if (rule !== undefined) checkValue(item, field, rule, at.now, (reason) => report(reason, suffix));
        if (rule?.unique === true && seen.has(item)) report('repeats an earlier item', suffix);
        seen.add(item);
        index += 1;
      }
      return;
    }
    case 'map': {
      const map = at.message.get(field);
      if (rule?.items !== undefined) checkCount(map.size, rule.items, report);
      for (const [key, value] of map) {
        const suffix = `[${JSON.stringify(key)}]`;
        if (rule !== undefined) checkKey(String(key), rule, (reason) => report(reason, suffix));
        if (field.mapKind === 'message') descend(at, value, path + suffix);
        else if (rule !== undefined) checkValue(value, field, rule, at.now, (reason) => report(reason, suffix));
      }
      return;
    }
    case 'scalar':
    case 'enum':
      if (rule === undefined || (field.presence === FeatureSet_FieldPresence.EXPLICIT && !set)) return;
      checkValue(at.message.get(field), field, rule, at.now, report);
      return;
  }
}

function descend(at: Visit, value: unknown, path: string): void {
  if (!isReflectMessage(value)) return;
  if (at.depth + 1 >= MAX_DEPTH) {
    at.violations.push({ path, reason: `is nested deeper than ${MAX_DEPTH} levels` });
    return;
  }
  visit({ ...at, message: value, path, depth: at.depth + 1 });
}

function isReflectMessage(value: unknown): value is ReflectMessage {
  return typeof value === 'object' && value !== null && 'desc' in value && 'fields' in value;
}

function checkCount(size: number, [least, most]: readonly [number, number], report: (reason: string) => void): void {
  if (size < least) report(`needs at least ${least} entries, not ${size}`);
  if (size > most) report(`may have at most ${most} entries, not ${size}`);
}
