import type { apiV2 } from '@ingot/api';
import { number, text } from '../../src/store/row.ts';
import type { Stores } from '../../src/store/stores.ts';
import type { Contender } from './storm-hall.ts';

/** What a client was told: its machine, or `refused` as there is none for it. */
export type Answer = apiV2.Machine | 'refused';

const FIRST_ASN = 4_210_000_000;

/** Compares what clients were told with what is stored; throws with everything that is wrong. */
export async function checkHall(
  stores: Stores,
  contenders: readonly Contender[],
  answers: ReadonlyMap<string, Answer>,
): Promise<void> {
  const wrong: string[] = [];
  const stored = (await stores.machines.list()).map(({ value }) => value);
  const allocated = stored.filter(({ allocation }) => allocation !== undefined);
  const byUuid = new Map(allocated.map((machine) => [machine.uuid, machine]));
  for (const [name, answer] of answers) {
    if (answer === 'refused') continue;
    const found = byUuid.get(answer.uuid);
    if (found === undefined || whatWasGiven(found) !== whatWasGiven(answer))
      wrong.push(
        `${name} was given ${whatWasGiven(answer)}, and finds ${found === undefined ? 'none' : whatWasGiven(found)}`,
      );
  }
  const given = [...answers.values()].filter((answer) => answer !== 'refused').length;
  if (given !== allocated.length) wrong.push(`${given} were given, ${allocated.length} are taken`);
  const twice = (what: string, values: readonly unknown[]): void => {
    const found = [...Map.groupBy(values, (value) => value)].filter(([, all]) => all.length > 1);
    for (const [value, all] of found) wrong.push(`${what} ${String(value)} was given ${all.length} times`);
  };
  const networks = allocated.flatMap(({ allocation }) => allocation?.networks ?? []);
  twice(
    'the name',
    allocated.map(({ allocation }) => allocation?.name),
  );
  twice(
    'the address',
    networks.flatMap(({ ips }) => ips),
  );
  twice(
    'the AS',
    networks.map(({ asn }) => asn),
  );
  for (const { project, gets } of contenders) {
    const has = allocated.filter(({ allocation }) => allocation?.project === project).length;
    if (has !== gets) wrong.push(`project ${project} has ${has} machines, not ${gets}`);
  }
  // Nothing is left over from attempts that came to nothing.
  const taken = (await stores.ips.list()).map(({ value }) => value.ip);
  if (
    !same(
      taken,
      networks.flatMap(({ ips }) => ips),
    )
  )
    wrong.push(`${taken.length} addresses are taken`);
  const owners = await stores.session.all("SELECT number, owner FROM pool_number WHERE pool = 'asn'");
  const pool = owners.map((row) => `${FIRST_ASN + number(row, 'number')} ${text(row, 'owner')}`);
  const worn = allocated.flatMap(
    ({ uuid, allocation }) => allocation?.networks.map(({ asn }) => `${asn} ${uuid}`) ?? [],
  );
  if (!same(pool, worn)) wrong.push(`${pool.length} AS numbers are taken`);
  if (wrong.length > 0) throw new Error(wrong.slice(0, 20).join('\n'));
}

function whatWasGiven({ uuid, allocation }: apiV2.Machine): string {
  const networks = allocation?.networks.map(({ network, ips, asn }) => `${network} ${ips.join()} AS ${asn}`);
  return `${uuid} as ${allocation?.name} (${allocation?.uuid}) for ${allocation?.project} in ${networks?.join('; ')}`;
}

function same(some: readonly string[], others: readonly string[]): boolean {
  return some.toSorted().join() === others.toSorted().join();
}
