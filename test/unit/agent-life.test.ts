// The discovery agent and the API server in one process, over their real connection.
import { mkdtempSync, readFileSync, rmSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiV2, create, createClient, durationFromMs, infraV2, ingotAdminV1 } from '@ingot/api';
import { MockClock, mockEntropy, nodeNetwork } from '@ingot/net';
import { expect, test } from 'vitest';
import { leaf, startRig, type Rig } from '../../packages/api-server/test/support.ts';
import { connectApi } from '../../packages/discovery-agent/src/life/api.ts';
import type { Api } from '../../packages/discovery-agent/src/life/api.ts';
import { Board } from '../../packages/discovery-agent/src/life/board.ts';
import { live } from '../../packages/discovery-agent/src/life/life.ts';
import { createPulse } from '../../packages/discovery-agent/src/life/pulse.ts';
import { createReporter } from '../../packages/discovery-agent/src/life/reporter.ts';
import { openState } from '../../packages/discovery-agent/src/life/state.ts';
import type { Wipe } from '../../packages/discovery-agent/src/life/wipe-order.ts';
import { openSysfs } from '../../packages/discovery-agent/src/sysfs.ts';
import { FakeBmc } from '../../packages/discovery-agent/test/fake-bmc.ts';
import { epyc, uuid } from '../../packages/discovery-agent/test/machines.ts';
import { plant } from '../../packages/discovery-agent/test/tree.ts';

const lldp = readFileSync(
  new URL('../../packages/discovery-agent/test/fixtures/lldp-two-leaves.json', import.meta.url),
  'utf8',
)
  .replace('"m1"', '"eth0"')
  .replace('"m2"', '"eth1"');

const { CRASHED, PLANNED_REBOOT, PREPARING, PXE_BOOTING, WAITING } = apiV2.MachineProvisioningEventType;

/** One boot of the machine; its disposal is the power switch. */
class Boot implements AsyncDisposable {
  readonly #machine: ReturnType<typeof plant>;
  readonly #directory = mkdtempSync(join(tmpdir(), 'ingot-agent-'));
  readonly #clock = new MockClock({ nowMs: Date.now() });
  readonly #power = new AbortController();
  readonly #life: Promise<void>;
  readonly lines: string[] = [];
  readonly wiped: string[] = [];
  reboots = 0;
  #calls = 0;

  constructor(api: Rig, token: string, { bmc, agent = {} }: { readonly bmc?: FakeBmc; readonly agent?: object } = {}) {
    this.#machine = plant({
      ...epyc,
      '/proc/cmdline': 'PIXIE_API_URL=http://10.0.0.1/config/x?nonce=1\n',
      ...(bmc && { '/dev/ipmi0': '' }),
    });
    const clock = this.#clock;
    const state = openState(this.#directory, { insideImage: false });
    const board = new Board(() => []);
    const client = { metal_apiserver_url: api.url, metal_hammer_token: token, ca_cert: api.ca };
    const body = JSON.stringify({ client, partition: 'lab', agent });
    const wipe: Wipe = async ({ id }, { confirm }) => {
      const now = await confirm();
      if (typeof now === 'string') return { kind: 'refused', reason: now };
      this.wiped.push(id);
      return { kind: 'done', words: 'all' };
    };
    this.#life = live({
      sysfs: openSysfs(this.#machine.root),
      run: (file) => (file === 'lldpcli' ? Promise.resolve(lldp) : Promise.reject(new Error(`no ${file}`))),
      clock,
      entropy: mockEntropy(3),
      state,
      board,
      pulse: createPulse(clock),
      reporter: createReporter({ clock, state, board, uptime: () => 0, write: (line) => this.lines.push(line) }),
      version: '0.1.0',
      httpGet: () => Promise.resolve({ status: 200, body, dateMs: clock.now() }),
      network: nodeNetwork({ native: false }),
      postJson: () => Promise.reject(new Error('no log sink')),
      resolveHost: () => Promise.resolve([]),
      openIpmi: () => {
        if (bmc === undefined) throw new Error('no BMC');
        return bmc;
      },
      connect: (...server) => this.#heldByCalls(connectApi(...server)),
      wipe,
      reboot: () => {
        this.reboots += 1;
        return Promise.resolve();
      },
      signal: this.#power.signal,
    });
    this.#life.catch(() => undefined);
  }

  async until(condition: () => boolean | Promise<boolean>, stepMs = 100): Promise<void> {
    const giveUp = performance.now() + 20_000;
    while (!(await condition())) {
      if (performance.now() > giveUp) throw new Error(`never happened; console:\n${this.lines.slice(-40).join('\n')}`);
      if (this.#calls === 0) await this.#clock.advance(stepMs);
      else await new Promise((resolve) => setImmediate(resolve));
    }
  }

  /** Time stands still while a question is under way whose deadline is in virtual time. */
  #heldByCalls(server: Api): Api {
    return {
      ...server,
      superUserPassword: async (signal) => {
        this.#calls += 1;
        return server.superUserPassword(signal).finally(() => (this.#calls -= 1));
      },
    };
  }

  async [Symbol.asyncDispose](): Promise<void> {
    this.#power.abort(new Error('power off'));
    await this.#life.catch(() => undefined);
    this.#machine[Symbol.dispose]();
    rmSync(this.#directory, { recursive: true });
  }
}

/** Registers two leaves, and gives the machine's token. */
async function rack(api: Rig): Promise<string> {
  const switches = createClient(infraV2.SwitchService, api.admin);
  for (const id of ['leaf1', 'leaf2']) await switches.register({ switch: leaf(id) });
  // For longer than virtual time runs.
  return api.mint({ machineRoles: { [uuid]: apiV2.MachineRole.EDITOR }, expires: durationFromMs(86_400_000) });
}

const newest = async (api: Rig): Promise<number | undefined> =>
  (await api.plane.stores.events.container(uuid)).newest?.type;

const change = (api: Rig, edit: (machine: apiV2.Machine) => void): Promise<unknown> =>
  api.plane.stores.machines.edit(uuid, edit);

const allocate = (machine: apiV2.Machine): void => {
  machine.allocation = create(apiV2.MachineAllocationSchema, { uuid, name: 'web' });
};

test(
  'a machine registers and waits, erases on order only, and no event surprises the API',
  { timeout: 60_000 },
  async () => {
    await using api = await startRig();
    const token = await rack(api);
    await using boot = new Boot(api, token);
    const { waitingRoom, stores } = api.plane;
    await boot.until(() => waitingRoom.isWaiting(uuid));
    expect(boot.wiped).toEqual([]);

    const { order } = await createClient(ingotAdminV1.WipeService, api.admin).order({ uuid });
    await boot.until(
      async () => boot.wiped.length === 1 && waitingRoom.isWaiting(uuid) && (await newest(api)) === WAITING,
    );
    expect(boot.wiped).toEqual([order]);
    expect((await stores.machines.need(uuid)).value.meta?.labels?.labels).not.toHaveProperty('ingot.dev/wipe');
    expect(await stores.events.container(uuid)).toMatchObject({ lastError: undefined, crashLoop: false });
  },
);

test(
  'an allocated machine goes to its disk once, is held when it comes back, and waits when freed',
  { timeout: 60_000 },
  async () => {
    await using api = await startRig();
    const token = await rack(api);
    const { waitingRoom, stores } = api.plane;
    {
      await using boot = new Boot(api, token);
      await boot.until(() => waitingRoom.isWaiting(uuid));
    }
    await change(api, allocate);
    {
      await using boot = new Boot(api, token);
      await boot.until(() => boot.reboots === 1);
      expect(await newest(api)).toBe(PLANNED_REBOOT);
    }
    await stores.events.add(uuid, PXE_BOOTING, 'asked for an address');
    await using boot = new Boot(api, token);
    await boot.until(() => boot.lines.some((line) => line.includes('came back by the network; held')));
    await boot.until(
      async () =>
        (await newest(api)) === PREPARING && (await stores.events.container(uuid)).lastError?.type === CRASHED,
    );
    await change(api, (machine) => {
      delete machine.allocation;
    });
    await boot.until(() => waitingRoom.isWaiting(uuid));
    expect([boot.reboots, boot.wiped]).toEqual([0, []]);
    expect(await stores.events.container(uuid)).toMatchObject({ crashLoop: false, failedReclaim: false });
  },
);

test(
  'an operator’s password reaches the BMC, and an operator’s label keeps a waiting machine from its reboot',
  { timeout: 60_000 },
  async () => {
    await using api = await startRig({ superUserPassword: 'sesame-open' });
    const token = await rack(api);
    const bmc = new FakeBmc();
    await using boot = new Boot(api, token, { bmc, agent: { auto_reboot_hours: 1 } });
    await boot.until(() => api.plane.waitingRoom.isWaiting(uuid));
    expect(bmc.users.find(({ name }) => name === 'root')).toMatchObject({ password: 'sesame-open', enabled: true });
    expect(boot.lines.join('\n')).not.toContain('sesame-open');

    const labels = createClient(ingotAdminV1.LabelService, api.admin);
    await labels.update({ uuid, labels: { update: { labels: { 'ingot.dev/no-reboot': 'burn-in' } } } });
    const calledOff = 'no planned reboot: the machine has the label ingot.dev/no-reboot';
    await boot.until(() => boot.lines.some((line) => line.includes(calledOff)), 30_000);
    expect(boot.reboots).toBe(0);
    await labels.update({ uuid, labels: { remove: ['ingot.dev/no-reboot'] } });
    await boot.until(() => boot.reboots === 1, 30_000);
    expect(await newest(api)).toBe(PLANNED_REBOOT);
  },
);
