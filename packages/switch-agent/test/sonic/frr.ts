import { setTimeout as sleep } from 'node:timers/promises';
import type { FabricModel } from '../../src/fabric-model.ts';
import type { FrrPort } from '../../src/reconcile/frr-port.ts';
import { connectTo, STATE_DB, type TestClient } from '../redis-server.ts';

/** Where the stand-in for FRR keeps what it runs: beside SONiC's databases, so that it outlives a killed agent. */
export const FRR_DB = 15;
export const FRR_KEY = 'running';
const FRR_CRASH_KEY = 'crash';

interface Running {
  readonly neighbors: readonly string[];
  readonly vrfs: readonly string[];
}

/** The neighbours in the default VRF, of what is stored. */
export function neighborsOf(text: string | null): ReadonlySet<string> {
  return new Set(runningOf(text).neighbors);
}

function runningOf(text: string | null): Running {
  return text === null ? { neighbors: [], vrfs: [] } : JSON.parse(text);
}

/** FRR as far as the ordering rules speak of it: refuses VRFs that are not there, and removals of those that are. */
export class StandInFrr implements FrrPort {
  readonly models: FabricModel[] = [];
  /** How long it takes for a reload, milliseconds. */
  reloadMs = 0;
  readonly #connect: () => Promise<TestClient>;
  #client: TestClient | undefined;

  constructor(socketPath: string) {
    this.#connect = () => connectTo(socketPath, FRR_DB);
  }

  async observe(): Promise<{ readonly running: boolean; readonly neighbors: ReadonlySet<string> }> {
    const client = (this.#client ??= await this.#connect());
    return { running: true, neighbors: neighborsOf(await client.get(FRR_KEY)) };
  }

  async apply(model: FabricModel): Promise<{ readonly changed: boolean; readonly problems: readonly string[] }> {
    const client = (this.#client ??= await this.#connect());
    this.models.push(model);
    const before = await client.get(FRR_KEY);
    const next: Running = {
      neighbors: [...model.uplinks, ...model.firewalls.map(({ port }) => port)],
      vrfs: model.vrfs.map(({ name }) => name),
    };
    const text = JSON.stringify(next);
    if (text === before) return { changed: false, problems: [] };
    await sleep(this.reloadMs);
    await client.select(STATE_DB);
    const active = new Set((await client.keys('VRF_TABLE|*')).map((key) => key.slice('VRF_TABLE|'.length)));
    const ports = await Promise.all(
      model.vrfs.flatMap(({ name, ports: members }) =>
        members.map(async (port) => ({ port, name, vrf: await client.hGet(`INTERFACE_TABLE|${port}`, 'vrf') })),
      ),
    );
    await client.select(FRR_DB);
    const missing = next.vrfs.find((vrf) => !active.has(vrf));
    const stuck = runningOf(before).vrfs.find((vrf) => active.has(vrf) && !next.vrfs.includes(vrf));
    const elsewhere = ports.find(({ name, vrf }) => vrf !== undefined && vrf !== null && vrf !== name);
    const reason =
      (missing === undefined ? undefined : `VRF ${missing} not active`) ??
      (stuck === undefined ? undefined : `Only inactive VRFs can be deleted (${stuck})`) ??
      (elsewhere === undefined
        ? undefined
        : `${elsewhere.port} is a neighbour in ${elsewhere.name}, but still in "${elsewhere.vrf}"`);
    if (reason !== undefined) await client.set(FRR_CRASH_KEY, reason);
    await client.set(FRR_KEY, text);
    return { changed: true, problems: reason === undefined ? [] : [reason] };
  }

  /** What FRR could not do. */
  async refused(): Promise<string | undefined> {
    const client = (this.#client ??= await this.#connect());
    return (await client.get(FRR_CRASH_KEY)) ?? undefined;
  }

  close(): void {
    this.#client?.destroy();
  }
}
