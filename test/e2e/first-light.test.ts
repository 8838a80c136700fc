import { readFileSync, readdirSync } from 'node:fs';
import { join } from 'node:path';
import { apiV2 } from '@ingot/api';
import { afterAll, beforeAll, describe, expect, test } from 'vitest';
import { flood } from './flood.ts';
import { createRack, leftovers, machineInApi, onlyMachine } from './rack-under-test.ts';
import type { RackUnderTest } from './rack-under-test.ts';

const bootTimeoutMs = 240_000;
const { WAITING, CRASHED } = apiV2.MachineProvisioningEventType;

async function expectWaiting(rig: RackUnderTest): Promise<void> {
  const reason = await rig.rack.untilWaiting(onlyMachine(rig), bootTimeoutMs, new AbortController().signal);
  expect(reason).toBeUndefined();
}

/** What the boot server did for the machine in its present boot, in that order. */
function services(rig: RackUnderTest): readonly string[] {
  const { identity, timeline } = onlyMachine(rig);
  return readFileSync(join(rig.rack.logDirectory, 'boot-server.log'), 'utf8')
    .split('\n')
    .flatMap((line): readonly LogEntry[] =>
      line.includes(identity.uuid) ? [JSON.parse(line.slice(line.indexOf('{')))] : [],
    )
    .filter(({ time, event }) => Date.parse(time) >= timeline.startedAtMs && !event.startsWith('dhcp.'))
    .map(({ event, kind }) => (kind === undefined ? event : `${event} ${kind}`));
}

interface LogEntry {
  readonly time: string;
  readonly event: string;
  readonly kind?: string;
}

/** Milliseconds from the first offer until script, kernel and initrd are there, in the present boot. */
function servedMs(rig: RackUnderTest): number {
  const { reachedMs } = onlyMachine(rig).timeline;
  return (reachedMs.get('ipxe') ?? Infinity) - (reachedMs.get('dhcp') ?? 0);
}

/** What was drawn by lot for this run has come over the wire into the API. */
async function expectKnownToTheApi(rig: RackUnderTest): Promise<void> {
  const { identity } = onlyMachine(rig);
  const known = await machineInApi(rig, identity.uuid);
  const labels = Object.values(known.meta?.labels?.labels ?? {}).join('\n');
  for (const disk of identity.disks) expect(labels).toContain(disk.serial);
  expect(known.hardware?.disks.map((disk) => disk.size)).toEqual(identity.disks.map((disk) => BigInt(disk.sizeBytes)));
  for (const nic of identity.nics) {
    const reported = known.hardware?.nics.find(({ mac }) => mac === nic.mac);
    expect(reported?.neighbors.map(({ hostname, identifier }) => ({ hostname, identifier }))).toEqual([
      { hostname: nic.leaf, identifier: nic.port.alias },
    ]);
    const leaf = (await rig.rack.api.switches()).find(({ id }) => id === nic.leaf);
    expect(
      leaf?.machineConnections.map(({ machineId, nic: port }) => [machineId, port?.name, port?.identifier]),
    ).toEqual([[identity.uuid, nic.port.name, nic.port.alias]]);
    expect(leaf?.nics.find(({ name }) => name === nic.port.name)?.state?.actual).toBe(apiV2.SwitchPortStatus.UP);
  }
  await expectLoginAtTheBmc(rig);
  // All that the image may need to get this far.
  expect(known.hardware?.memory).toBeLessThanOrEqual(2n ** 30n);
  expect(known.rack).toBe('rack1');
  expect(known.recentProvisioningEvents?.events[0]?.event).toBe(WAITING);
}

/** The user that the machine made in its BMC lets the owner in over the management network, and is told to nobody else. */
async function expectLoginAtTheBmc(rig: RackUnderTest): Promise<void> {
  const { identity } = onlyMachine(rig);
  const bmc = await rig.rack.api.bmc(identity.uuid);
  if (bmc === undefined) throw new Error('the machine has registered no BMC');
  expect(bmc).toMatchObject({
    address: `${identity.bmc.address}:623`,
    mac: identity.bmc.mac,
    user: 'metal',
    interface: 'lanplus',
    version: '1.74',
    powerState: 'ON',
  });
  const as = ['-I', bmc.interface, '-C', '3', '-H', identity.bmc.address, '-U', bmc.user, '-P', bmc.password];
  const users = await rig.rack.inManagement('ipmitool', ...as, '-L', 'ADMINISTRATOR', 'user', 'list', '1');
  // The factory's user is still there.
  expect(users).toMatch(/^2 +ADMIN .*ADMINISTRATOR$/m);
  expect(users).toMatch(/^10 +metal .*ADMINISTRATOR$/m);
  // The machine itself has logged in over the network: the leaf has a way to the BMC.
  expect(readFileSync(onlyMachine(rig).consoleLog, 'utf8')).not.toContain('is not verified');
  const { logDirectory } = rig.rack;
  const logs = [...readdirSync(logDirectory).map((name) => join(logDirectory, name)), onlyMachine(rig).consoleLog];
  for (const log of logs) expect(readFileSync(log, 'utf8')).not.toContain(bmc.password);
}

describe('a BIOS machine with nothing but its firmware', () => {
  let rig: RackUnderTest;
  let undisturbed: { readonly services: readonly string[]; readonly ms: number };
  beforeAll(async () => {
    rig = await createRack('e2ebios', { machine: { firmware: 'bios' } });
  });
  afterAll(async () => {
    await rig[Symbol.asyncDispose]();
    expect(leftovers('e2ebios')).toEqual([]);
  });

  /** Switches the machine off and on again, as somebody at the rack would. */
  async function powerCycle(): Promise<void> {
    await onlyMachine(rig).power.off();
    await onlyMachine(rig).power.on();
  }

  /** Ends a part with SIGKILL; the rack starts it again, as systemd would. */
  function kill(name: string): void {
    const pid = rig.rack.parts.get(name)?.pid;
    if (pid === undefined) throw new Error(`${name} does not run`);
    process.kill(pid, 'SIGKILL');
  }

  test('boots through relay, DHCP, iPXE and HTTP into Waiting, and the API knows its serials and leaf ports', async () => {
    await onlyMachine(rig).power.on();
    await expectWaiting(rig);
    await expectKnownToTheApi(rig);
    const console = readFileSync(onlyMachine(rig).consoleLog, 'utf8');
    expect(console).toMatch(/INGOT \S+ init kernel .*, bios boot, starts again 60 s after a panic/);
    expect(console).toMatch(/INGOT \S+ agent watchdog: iTCO_wdt, restarts the machine after 60 s of silence/);
    undisturbed = { services: services(rig), ms: servedMs(rig) };
    expect(undisturbed.services).toContain('http.file initrd');
  });

  test('is switched on by its BMC over the management network', async () => {
    const { identity, power } = onlyMachine(rig);
    const { user, password } = rig.rack.bmc;
    const ipmitool = (...words: readonly string[]): Promise<string> =>
      rig.rack.inManagement(
        'ipmitool',
        '-I',
        'lanplus',
        '-C',
        '3',
        '-H',
        identity.bmc.address,
        '-U',
        user,
        '-P',
        password,
        ...words,
      );
    await power.off();
    // ipmi_sim looks after the power once a second.
    await expect.poll(() => ipmitool('chassis', 'power', 'status'), { timeout: 60_000 }).toContain('is off');
    await ipmitool('chassis', 'power', 'on');
    await expect.poll(() => power.isOn(), { timeout: 60_000 }).toBe(true);
  });

  test('boots undisturbed and undelayed while 10,000 malformed requests of each protocol hit the boot server', async () => {
    await powerCycle();
    await rig.reached(onlyMachine(rig), 'dhcp');
    const sent = await flood(`ingot-e2ebios-leaf1`, '10.0.0.1', 10_000);
    expect(sent).toEqual({ dhcp: 10_000, tftp: 10_000, http: 10_000 });
    await expectWaiting(rig);
    expect(rig.rack.parts.get('boot-server')?.restarts).toBe(0);
    // No step had to be taken twice, and none waited for a retry.
    expect(services(rig)).toEqual(undisturbed.services);
    expect(servedMs(rig)).toBeLessThan(undisturbed.ms + 10_000);
  });

  test('ends in Waiting although the boot server is killed between its DHCP answer and the script', async () => {
    await powerCycle();
    await rig.reached(onlyMachine(rig), 'dhcp');
    kill('boot-server');
    await expectWaiting(rig);
    expect(rig.rack.parts.get('boot-server')?.restarts).toBe(1);
  });

  test('ends in Waiting although the API server is killed while the kernel loads', async () => {
    await powerCycle();
    await rig.reached(onlyMachine(rig), 'ipxe');
    kill('api-server');
    await expectWaiting(rig);
    await expectKnownToTheApi(rig);
    expect(rig.rack.parts.get('api-server')?.restarts).toBe(1);
  });

  test('ends in Waiting although a switch agent, its Redis and the relay are killed while it boots', async () => {
    await powerCycle();
    for (const part of ['leaf1-switch-agent', 'leaf1-redis', 'leaf1-relay']) kill(part);
    await expectWaiting(rig);
    await expectKnownToTheApi(rig);
    for (const part of ['leaf1-switch-agent', 'leaf1-relay']) expect(rig.rack.parts.get(part)?.restarts).toBe(1);
  });

  test('reports the crash and ends in Waiting although the agent itself is killed', async () => {
    await powerCycle();
    const machine = onlyMachine(rig);
    await rig.reached(machine, 'agent');
    // SysRq f calls the kernel's OOM killer, which ends the largest process with SIGKILL: the agent's Node.
    await machine.sysrq('f');
    await expectWaiting(rig);
    const events = (await machineInApi(rig, machine.identity.uuid)).recentProvisioningEvents?.events ?? [];
    const crash = events.find(({ event }) => event === CRASHED);
    expect(crash?.message).toMatch(/SIGKILL|signal 9|killed/i);
  });
});
