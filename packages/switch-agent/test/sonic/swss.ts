import { setTimeout as sleep } from 'node:timers/promises';
import { ASIC_DB, CONFIG_DB, connectTo, COUNTERS_DB, STATE_DB, type TestClient } from '../redis-server.ts';
import { FRR_DB, FRR_KEY, neighborsOf } from './frr.ts';

type Row = Readonly<Record<string, string>>;
type Clients = Readonly<Record<'config' | 'state' | 'asic' | 'frr' | 'events', TestClient>>;
export type Daemon = 'vlanmgrd' | 'intfmgrd' | 'vrfmgrd' | 'vxlanmgrd';

const FOLLOWS: Readonly<Record<string, Daemon>> = {
  VLAN: 'vlanmgrd',
  VLAN_MEMBER: 'vlanmgrd',
  INTERFACE: 'intfmgrd',
  VLAN_INTERFACE: 'intfmgrd',
  VRF: 'vrfmgrd',
  VXLAN_TUNNEL_MAP: 'vxlanmgrd',
};

export interface Hold {
  readonly release: () => void;
  /** Resolves when the daemon is there. */
  readonly reached: Promise<void>;
}

export interface SwssOptions {
  readonly socketPath: string;
  readonly ports: readonly string[];
  /** 0 to 1, for the delays. */
  readonly random: () => number;
  /** How long a daemon may take to look at its queue, milliseconds. */
  readonly longestDelayMs: number;
}

/**
 * A stand-in for SONiC's daemons between CONFIG_DB and the switch chip. Each follows its tables by keyspace events, looks
 * at its queue after a while of its own, takes everything in it in the order of the keys and not of time, and reads each
 * row as it is then, as swsscommon's SubscriberStateTable does. What they make of it shows in STATE_DB and, later again,
 * in ASIC_DB. It "crashes" where the real ones do; `crash` says how.
 */
export class Swss implements AsyncDisposable {
  /** What made a daemon crash; undefined as long as all live. */
  crash: string | undefined;
  readonly #options: SwssOptions;
  readonly #clients: Clients;
  readonly #queues = new Map<Daemon | 'orchagent', Map<string, string[]>>();
  readonly #running = new Map<string, Promise<void>>();
  /** The kernel: a port's bridge or VRF, and the devices of VRFs. */
  readonly #master = new Map<string, string>();
  readonly #devices = new Set<string>();
  readonly #vlans = new Set<string>();
  readonly #maps = new Map<string, string>();
  /** Port or VLAN → VRF, '' for the default one, as intfmgrd has it. */
  readonly #interfaces = new Map<string, string>();
  /** What orchagent has been told last, by its key; undefined: to remove it. */
  readonly #told = new Map<string, Row | undefined>();
  /** orchagent's objects by its key → ASIC_DB key. */
  readonly #objects = new Map<string, string>();
  readonly #gates = new Map<string, { readonly open: Promise<void>; readonly reach: () => void }>();
  #nextId = 0x1000;
  #stopped = false;

  private constructor(options: SwssOptions, clients: Clients) {
    this.#options = options;
    this.#clients = clients;
  }

  static async start(options: SwssOptions): Promise<Swss> {
    const connect = (database: number): Promise<TestClient> => connectTo(options.socketPath, database);
    const swss = new Swss(options, {
      config: await connect(CONFIG_DB),
      state: await connect(STATE_DB),
      asic: await connect(ASIC_DB),
      frr: await connect(FRR_DB),
      events: await connect(CONFIG_DB),
    });
    const counters = await connect(COUNTERS_DB);
    await counters.hSet(
      'COUNTERS_PORT_NAME_MAP',
      Object.fromEntries(options.ports.map((port) => [port, portId(port)])),
    );
    counters.destroy();
    await swss.#clients.events.pSubscribe(`__keyspace@${CONFIG_DB}__:*`, (event, channel) =>
      swss.#note(channel.slice(channel.indexOf(':') + 1), event),
    );
    // What was there before they started.
    for await (const keys of swss.#clients.config.scanIterator({ COUNT: 1000 })) {
      for (const key of keys) swss.#note(key, 'hset');
    }
    return swss;
  }

  /** Keeps a daemon from getting round to its queue, or, when it is busy, from going on with a row that it has read. */
  hold(daemon: Daemon, when: 'idle' | 'busy' = 'idle'): Hold {
    const open = Promise.withResolvers<void>();
    const reached = Promise.withResolvers<void>();
    this.#gates.set(`${daemon} ${when}`, { open: open.promise, reach: reached.resolve });
    const release = (): void => {
      this.#gates.delete(`${daemon} ${when}`);
      open.resolve();
    };
    return { release, reached: reached.promise };
  }

  async #gate(name: string): Promise<void> {
    const gate = this.#gates.get(name);
    gate?.reach();
    await gate?.open;
  }

  /** Resolves when no daemon has anything left to do. */
  async settled(): Promise<void> {
    while (this.#running.size > 0 && this.crash === undefined) await Promise.race(this.#running.values());
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#stopped = true;
    for (const client of Object.values(this.#clients)) client.destroy();
    await Promise.all(this.#running.values()).catch(() => {});
  }

  #die(daemon: string, reason: string): void {
    this.crash ??= `${daemon}: ${reason}`;
  }

  #note(key: string, event: string): void {
    const daemon = FOLLOWS[key.split('|', 1)[0] ?? ''];
    if (daemon !== undefined) this.#enqueue(daemon, key, event);
  }

  #enqueue(daemon: Daemon | 'orchagent', key: string, event: string): void {
    const queue = this.#queues.get(daemon) ?? new Map<string, string[]>();
    this.#queues.set(daemon, queue);
    queue.set(key, [...(queue.get(key) ?? []), event]);
    if (this.#running.has(daemon)) return;
    const pass = this.#pass(daemon).catch((error: unknown) => {
      if (!this.#stopped) this.#die(daemon, String(error));
    });
    this.#running.set(daemon, pass);
  }

  async #pass(daemon: Daemon | 'orchagent'): Promise<void> {
    while (!this.#stopped && this.crash === undefined) {
      await sleep(this.#options.random() * this.#options.longestDelayMs);
      await this.#gate(`${daemon} idle`);
      const queue = this.#queues.get(daemon) ?? new Map<string, string[]>();
      this.#queues.set(daemon, new Map());
      for (const [key, events] of [...queue].toSorted(([a], [b]) => (a < b ? -1 : 1))) {
        if (key.startsWith('VLAN|') && events.includes('del') && events.some((event) => event !== 'del')) {
          this.#die('orchagent', `${key} was added and deleted in one burst (${events.join(', ')})`);
        }
        const isDone = daemon === 'orchagent' ? await this.#orchestrate(key) : await this.#follow(daemon, key);
        // As the real ones do, it keeps what cannot be done yet and tries again.
        if (!isDone) this.#requeue(daemon, key);
      }
      if (this.#queues.get(daemon)?.size === 0) break;
    }
    this.#running.delete(daemon);
  }

  #requeue(daemon: Daemon | 'orchagent', key: string): void {
    const queue = this.#queues.get(daemon);
    if (queue !== undefined && !queue.has(key)) queue.set(key, ['hset']);
  }

  async #follow(daemon: Daemon, key: string): Promise<boolean> {
    const [table = '', name = '', port = ''] = key.split('|');
    const read = await this.#clients.config.hGetAll(key);
    await this.#gate(`${daemon} busy`);
    const row: Row | undefined = Object.keys(read).length === 0 ? undefined : { ...read };
    if (daemon === 'vlanmgrd') return table === 'VLAN' ? this.#vlan(name, row) : this.#member(name, port, row);
    if (daemon === 'vrfmgrd') return this.#vrf(name, row);
    if (daemon === 'vxlanmgrd') return this.#map(key, row);
    // Addresses of an interface are none of the agent's business.
    if (port !== '') return true;
    return table === 'INTERFACE' ? this.#interface(name, row) : this.#svi(name, row);
  }

  async #vlan(name: string, row: Row | undefined): Promise<boolean> {
    if (row !== undefined) {
      if (this.#vlans.has(name)) return true;
      if (this.#objects.has(`VLAN:${name}`)) this.#die('orchagent', `${name} came back before it had gone`);
      this.#vlans.add(name);
      await this.#clients.state.hSet(`VLAN_TABLE|${name}`, { state: 'ok' });
    } else {
      if (!this.#vlans.delete(name)) return true;
      if (this.#interfaces.has(name)) this.#die('vlanmgrd', `${name} was deleted with its routed interface in place`);
      if ([...this.#maps.values()].includes(name))
        this.#die('orchagent', `${name} was deleted with its tunnel map in place`);
      if ((await this.#clients.state.keys(`VLAN_MEMBER_TABLE|${name}|*`)).length > 0) {
        this.#die('vlanmgrd', `${name} was deleted with members`);
      }
      await this.#clients.state.del(`VLAN_TABLE|${name}`);
    }
    this.#tell(`VLAN:${name}`, row);
    return true;
  }

  async #member(vlan: string, port: string, row: Row | undefined): Promise<boolean> {
    const key = `VLAN_MEMBER_TABLE|${vlan}|${port}`;
    if (row === undefined) {
      if (this.#master.get(port) === 'Bridge') this.#master.delete(port);
      await this.#clients.state.del(key);
    } else {
      if (!this.#vlans.has(vlan)) return false;
      const master = this.#master.get(port);
      if (master !== undefined && master !== 'Bridge')
        this.#die('vlanmgrd', `${port} is in ${master}, and now in ${vlan}`);
      if (this.#interfaces.has(port)) this.#die('vlanmgrd', `${port} is a routed interface, and now in ${vlan}`);
      if ((await this.#clients.config.exists(`INTERFACE|${port}`)) > 0) {
        this.#die('vlanmgrd', `${port} is in VLAN_MEMBER and INTERFACE at once`);
      }
      this.#master.set(port, 'Bridge');
      await this.#clients.state.hSet(key, { state: 'ok' });
    }
    this.#tell(`BRIDGE_PORT:${port}`, row);
    return true;
  }

  async #interface(port: string, row: Row | undefined): Promise<boolean> {
    const before = this.#interfaces.get(port);
    if (row === undefined) {
      if (before === undefined) return true;
      if (before === '' && neighborsOf(await this.#clients.frr.get(FRR_KEY)).has(port)) {
        this.#die('bgpd', `${port} lost its address with a neighbour on it`);
      }
      this.#interfaces.delete(port);
      this.#master.delete(port);
      await this.#clients.state.del(`INTERFACE_TABLE|${port}`);
    } else {
      const vrf = row['vrf_name'] ?? '';
      if (before !== undefined && before !== vrf)
        this.#die('intfmgrd', `${port} can not change from "${before}" to "${vrf}" directly`);
      if (before === vrf) return true;
      if (this.#master.get(port) === 'Bridge') this.#die('orchagent', `${port} is in the bridge, and now routed`);
      if (vrf !== '' && !this.#devices.has(vrf)) {
        // Without the row it is not even wanted; with it, it will come.
        if ((await this.#clients.config.exists(`VRF|${vrf}`)) === 0)
          this.#die('intfmgrd', `${port} is bound to ${vrf}, which is not there`);
        return false;
      }
      this.#interfaces.set(port, vrf);
      if (vrf !== '') this.#master.set(port, vrf);
      await this.#clients.state.hSet(`INTERFACE_TABLE|${port}`, { vrf });
    }
    this.#tell(`ROUTER_INTERFACE:${port}`, row);
    return true;
  }

  async #svi(vlan: string, row: Row | undefined): Promise<boolean> {
    if (row === undefined) {
      if (!this.#interfaces.delete(vlan)) return true;
      await this.#clients.state.del(`INTERFACE_TABLE|${vlan}`);
    } else {
      const vrf = row['vrf_name'] ?? '';
      if (!this.#vlans.has(vlan) || (vrf !== '' && !this.#devices.has(vrf))) return false;
      const before = this.#interfaces.get(vlan);
      if (before !== undefined && before !== vrf)
        this.#die('intfmgrd', `${vlan} can not change from "${before}" to "${vrf}" directly`);
      this.#interfaces.set(vlan, vrf);
      await this.#clients.state.hSet(`INTERFACE_TABLE|${vlan}`, { vrf });
    }
    this.#tell(`ROUTER_INTERFACE:${vlan}`, row);
    return true;
  }

  async #vrf(name: string, row: Row | undefined): Promise<boolean> {
    if (row !== undefined) {
      if (this.#devices.has(name)) return true;
      if (this.#objects.has(`VIRTUAL_ROUTER:${name}`)) this.#die('vrfmgrd', `${name} came back before it had gone`);
      this.#devices.add(name);
      this.#tell(`VIRTUAL_ROUTER:${name}`, row);
      await this.#clients.state.hSet(`VRF_TABLE|${name}`, { state: 'ok' });
      return true;
    }
    if (!this.#devices.delete(name)) return true;
    const user = [...this.#interfaces].find(([, vrf]) => vrf === name);
    if (user !== undefined) this.#die('vrfmgrd', `${name} was deleted with ${user[0]} in it`);
    await this.#clients.state.del(`VRF_TABLE|${name}`);
    this.#tell(`VIRTUAL_ROUTER:${name}`, undefined);
    return true;
  }

  #map(key: string, row: Row | undefined): boolean {
    const vlan = row?.['vlan'];
    if (vlan === undefined) {
      const vrf = this.#interfaces.get(this.#maps.get(key) ?? '');
      const user = [...this.#interfaces].find(([name, of]) => of === vrf && !name.startsWith('Vlan'));
      if (vrf !== undefined && user !== undefined) this.#die('orchagent', `${vrf} lost its VNI with ${user[0]} in it`);
      const mapped = this.#maps.get(key);
      if (mapped !== undefined) this.#tell(`TUNNEL_MAP_ENTRY:${mapped}`, undefined);
      this.#maps.delete(key);
    } else if (this.#vlans.has(vlan)) {
      this.#maps.set(key, vlan);
      this.#tell(`TUNNEL_MAP_ENTRY:${vlan}`, row);
    } else return false;
    return true;
  }

  #tell(key: string, row: Row | undefined): void {
    this.#told.set(key, row);
    this.#enqueue('orchagent', key, row === undefined ? 'del' : 'hset');
  }

  /** Brings the object of a key to what it was told last. */
  async #orchestrate(key: string): Promise<boolean> {
    const row = this.#told.get(key);
    const [type = '', name = ''] = key.split(':');
    const object = this.#objects.get(key);
    if (row === undefined) {
      if (object === undefined) return true;
      if (type === 'VLAN' && this.#objects.has(`ROUTER_INTERFACE:${name}`)) return false;
      this.#objects.delete(key);
      await this.#clients.asic.del(object);
      if (type === 'VIRTUAL_ROUTER') await this.#clients.state.del(`VRF_OBJECT_TABLE|${name}`);
      return true;
    }
    if (object !== undefined) return true;
    if (type === 'BRIDGE_PORT' && this.#objects.has(`ROUTER_INTERFACE:${name}`)) {
      this.#die('orchagent', `${name} joins the bridge with its router interface in place`);
    }
    if (type === 'ROUTER_INTERFACE' && this.#objects.has(`BRIDGE_PORT:${name}`)) {
      this.#die('orchagent', `${name} becomes routed with its bridge port in place`);
    }
    const fields = this.#fields(type, name);
    if (fields === undefined) return false;
    const fresh = `ASIC_STATE:SAI_OBJECT_TYPE_${type}:oid:0x${(this.#nextId += 1).toString(16)}`;
    this.#objects.set(key, fresh);
    await this.#clients.asic.hSet(fresh, fields);
    if (type === 'VIRTUAL_ROUTER') await this.#clients.state.hSet(`VRF_OBJECT_TABLE|${name}`, { state: 'ok' });
    return true;
  }

  /** The attributes of a new object; undefined while what it refers to is missing. */
  #fields(type: string, name: string): Row | undefined {
    if (type === 'VLAN') return { SAI_VLAN_ATTR_VLAN_ID: name.slice('Vlan'.length) };
    if (type === 'TUNNEL_MAP_ENTRY') return { SAI_TUNNEL_MAP_ENTRY_ATTR_VLAN_ID_VALUE: name.slice('Vlan'.length) };
    if (type === 'BRIDGE_PORT') return { SAI_BRIDGE_PORT_ATTR_PORT_ID: portId(name) };
    if (type === 'VIRTUAL_ROUTER') return { SAI_VIRTUAL_ROUTER_ATTR_ADMIN_V4_STATE: 'true' };
    if (!name.startsWith('Vlan')) return { SAI_ROUTER_INTERFACE_ATTR_PORT_ID: portId(name) };
    const vlan = this.#objects.get(`VLAN:${name}`);
    return vlan === undefined ? undefined : { SAI_ROUTER_INTERFACE_ATTR_VLAN_ID: vlan.slice(vlan.indexOf('oid:')) };
  }
}

export function portId(port: string): string {
  return `oid:0x1${port.replace(/\D/g, '').padStart(12, '0')}`;
}
