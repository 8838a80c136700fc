import type { OrderedAction } from './rules.ts';
import type { Plan } from './plan.ts';
import type { Fields, RowChange } from './tables.ts';

/** A plan with what FRR would have to change, where that is known. */
export interface Preview {
  readonly plan: Plan;
  /** Lines that start with `+`, `-` or `!`; undefined: FRR was not asked. */
  readonly frr: readonly string[] | undefined;
}

/** Whether carrying out the plan would change anything. */
export function changesAnything({ plan, frr = [] }: Preview): boolean {
  return plan.actions.some(({ changes }) => changes.length > 0) || frr.some((line) => !line.startsWith('!'));
}

/** The plan as a diff for people: the actions in their order, and under each the rows that it writes. */
export function planText(preview: Preview): string {
  const { plan, frr } = preview;
  const lines: string[] = [];
  for (const action of plan.actions) {
    if (action.step === 'configure' || (action.changes.length === 0 && action.step !== 'withdraw')) continue;
    lines.push(`${action.step} ${action.subject}${waits(action)}`);
    for (const change of action.changes) lines.push(...rowLines(change));
  }
  if (frr !== undefined && frr.length > 0) lines.push('configure FRR', ...frr.map((line) => `  ${line}`));
  for (const { subject, reason } of plan.problems) lines.push(`! ${subject}: ${reason}`);
  if (lines.length === 0) lines.push('The switch is as the API wants it.');
  return `${lines.join('\n')}\n`;
}

/** The plan for programs: the actions in their order, with what each waits for. */
export function planJson({ plan, frr }: Preview): string {
  const actions = plan.actions
    .filter(({ changes, step }) => changes.length > 0 || step === 'withdraw')
    .map(({ step, subject, changes, after, until }) => ({
      step,
      subject,
      after,
      until,
      changes: changes.map(({ table, key, before, after: wanted }) => ({
        table,
        key,
        before: before ?? null,
        after: wanted ?? null,
      })),
    }));
  return `${JSON.stringify({ actions, frr: frr ?? null, model: plan.model, problems: plan.problems }, null, 2)}\n`;
}

function waits({ until }: OrderedAction): string {
  const kinds = new Set(until.map(({ kind }) => kind));
  return kinds.size === 0 ? '' : ` (waits for: ${[...kinds].join(', ')})`;
}

function rowLines({ table, key, before, after }: RowChange): readonly string[] {
  if (before === undefined || after === undefined) {
    const fields = after ?? before ?? {};
    return [`  ${after === undefined ? '-' : '+'} ${table}|${key} ${words(fields)}`];
  }
  const changed = [...new Set([...Object.keys(before), ...Object.keys(after)])].filter(
    (name) => before[name] !== after[name],
  );
  return [
    `  ~ ${table}|${key}`,
    ...changed.flatMap((name) => [
      ...(before[name] === undefined ? [] : [`    - ${name}: ${before[name]}`]),
      ...(after[name] === undefined ? [] : [`    + ${name}: ${after[name]}`]),
    ]),
  ];
}

function words(fields: Fields): string {
  return Object.entries(fields)
    .filter(([name]) => name !== 'NULL')
    .map(([name, value]) => `${name}=${value}`)
    .join(' ');
}
