import { systemClock } from '@ingot/net';
import { type Api, call, withApi } from '../api.ts';
import { contextsOf } from '../context.ts';
import type { CliIo } from '../io.ts';
import { given as givenField } from '../resources/given.ts';
import { RESOURCES } from '../resources/catalogue.ts';
import { textAt } from '../resources/resource.ts';
import type { Candidate, Completion } from './words.ts';

/** Nobody waits longer for the Tab key. */
const PATIENCE_MS = 2000;
/** More are of no help on a screen, and shells get slow. */
const MOST = 500;

/** The things of a kind that the API server knows; none when it does not answer in time, or at all. */
export async function thingsOf({ kind, given }: Completion, io: CliIo): Promise<readonly Candidate[]> {
  if (kind === 'context') return contextsOf(io).contexts.map(({ name, url }) => ({ word: name, meaning: url ?? '' }));
  const list = kind === undefined ? undefined : listerOf(kind);
  if (list === undefined) return [];
  const flags = {
    ...givenField('apiUrl', given['api-url']),
    ...givenField('apiCaFile', given['api-ca-file']),
    ...givenField('apiTokenFile', given['api-token-file']),
    ...givenField('context', given['context']),
  };
  const stop = new AbortController();
  const clock = io.clock ?? systemClock;
  try {
    const patience = clock.sleep(PATIENCE_MS, stop.signal).then(() => []);
    patience.catch(() => undefined);
    const quiet = { ...io, env: { ...io.env, INGOT_TRACE: '' } };
    const found = await withApi(flags, quiet, (api) => Promise.race([list(api), patience]));
    return found.slice(0, MOST);
  } catch {
    // Whoever presses Tab is in the middle of a line: no message may come between.
    return [];
  } finally {
    stop.abort();
  }
}

type Lister = (api: Api) => Promise<Candidate[]>;

function listerOf(kind: string): Lister | undefined {
  const own = LISTERS[kind];
  if (own !== undefined) return own;
  const resource = RESOURCES.find((one) => one.kind === kind);
  return resource === undefined
    ? undefined
    : async (api) =>
        (await resource.list(api)).map(({ id, json }) => ({
          word: id,
          meaning: textAt(json, 'name') || textAt(json, 'description'),
        }));
}

const LISTERS: Readonly<Record<string, Lister>> = {
  machine: async (api) =>
    (await api.machines.list({ query: {} }, call)).machines.map(({ uuid, allocation }) => ({
      word: uuid,
      meaning: allocation?.name ?? '',
    })),
  event: (api) => LISTERS['machine']?.(api) ?? Promise.resolve([]),
  bmc: (api) => LISTERS['machine']?.(api) ?? Promise.resolve([]),
  switch: async (api) =>
    (await api.switches.list({ query: {} }, call)).switches.map(({ id, rack }) => ({ word: id, meaning: rack ?? '' })),
  token: async (api) =>
    (await api.tokens.list({ query: {} }, call)).tokens.map(({ uuid, user, description }) => ({
      word: uuid,
      meaning: `${user} ${description}`,
    })),
  task: async (api) => (await api.tasks.list({}, call)).tasks.map(({ id, type }) => ({ word: id, meaning: type })),
  component: async (api) =>
    (await api.components.list({ query: {} }, call)).components.map(({ uuid, identifier }) => ({
      word: uuid,
      meaning: identifier,
    })),
};
