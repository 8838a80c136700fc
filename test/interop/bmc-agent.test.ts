/** The worker for management controllers and the API server, each as it is, with OpenIPMI's simulator behind them. */
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { adminV2, apiV2, createClient, infraV2 } from '@ingot/api';
import { expect, test, vi } from 'vitest';
import { machineA, machineB, type Rig, startRig } from '../../packages/api-server/test/support.ts';
import { startDaemon, type Daemon } from '../../packages/bmc-agent/test/daemon-kit.ts';
import { fruCommand, powerSupplyCommands } from '../../packages/bmc-agent/test/ipmi-contents.ts';
import { freePort, startIpmiSim } from '../../packages/bmc-agent/test/ipmi-sim.ts';
import { startRedfishBmc } from '../../packages/bmc-agent/test/redfish-bmc.ts';

const { MachineBMCCommand: Command } = apiV2;
const WAIT = { timeout: 20_000, interval: 50 };

interface Login {
  readonly address: string;
  readonly user: string;
  readonly password: string;
}

async function workerOf(rig: Rig, settings: object = {}): Promise<Daemon> {
  const tokenFile = join(rig.dataDir, 'bmc.token');
  await writeFile(tokenFile, await rig.mint({ infraRole: apiV2.InfraRole.EDITOR }), { mode: 0o600 });
  return startDaemon({ partition: 'lab', api: { url: rig.url, caFile: rig.plane.caFile, tokenFile }, ...settings });
}

async function report(rig: Rig, uuid: string, { address, user, password }: Login, protocol = 'lanplus'): Promise<void> {
  const bmc = { address, user, password, mac: '02:00:00:bb:00:65', interface: protocol };
  await createClient(infraV2.BMCService, rig.admin).updateBMCInfo({ partition: 'lab', bmcReports: [{ uuid, bmc }] });
}

/** The latest command of a machine; `list` has the newest first. */
async function newestOf(rig: Rig, uuid: string) {
  const commands = await rig.plane.stores.bmcCommands.list(50, 0);
  return commands.find(({ machine }) => machine === uuid);
}

/** Orders a command and waits for its result: `done`, or the error. */
async function order(rig: Rig, uuid: string, command: apiV2.MachineBMCCommand): Promise<string> {
  await createClient(adminV2.MachineService, rig.admin).bMCCommand({ uuid, command });
  return vi.waitFor(async () => {
    const newest = await newestOf(rig, uuid);
    if (newest?.doneAt === undefined) throw new Error('not done yet');
    return newest.error ?? 'done';
  }, WAIT);
}

test('what the API orders happens at the BMC, and its result is told', async () => {
  await using rig = await startRig();
  await using sim = await startIpmiSim();
  await using worker = await workerOf(rig);
  await report(rig, machineA, sim);
  const ordered = (command: apiV2.MachineBMCCommand): Promise<string> => order(rig, machineA, command);

  expect(await ordered(Command.MACHINE_BMC_COMMAND_RESET)).toMatch(/^BMC_MACHINE_OFF: /);
  expect(await ordered(Command.MACHINE_BMC_COMMAND_OFF)).toBe('done');
  expect(sim.done()).toEqual([]);
  expect(await ordered(Command.MACHINE_BMC_COMMAND_ON)).toBe('done');
  expect(sim.power()).toBe('1');
  expect(await ordered(Command.MACHINE_BMC_COMMAND_BOOT_FROM_PXE)).toBe('done');
  expect(await ordered(Command.MACHINE_BMC_COMMAND_RESET)).toBe('done');
  expect(await ordered(Command.MACHINE_BMC_COMMAND_BOOT_FROM_DISK)).toBe('done');
  expect(await ordered(Command.MACHINE_BMC_COMMAND_OFF)).toBe('done');
  expect(await ordered(Command.MACHINE_BMC_COMMAND_CYCLE)).toBe('done');
  expect(sim.done()).toEqual(['power 1', 'boot pxe', 'reset 1', 'boot default', 'power 0', 'power 1']);
  expect(await worker.metrics.text()).toContain('ingot_bmc_commands_total{command="on",result="done"} 1');
  const [component] = await rig.plane.stores.components.list();
  expect(component).toMatchObject({ type: apiV2.ComponentType.METAL_BMC, version: { version: 'ingot 0.1.0' } });

  await report(rig, machineA, { ...sim, password: 'wrong-secret-9' });
  const refused = await ordered(Command.MACHINE_BMC_COMMAND_OFF);
  expect(refused).toMatch(/^BMC_LOGIN: .* does not let user "ADMIN" in/);
  expect(sim.power()).toBe('1');
  expect(refused + JSON.stringify(worker.log.records)).not.toMatch(/wrong-secret-9|rack-secret-7/);
});

test('a BMC that speaks Redfish is spoken to so', async () => {
  await using rig = await startRig();
  await using bmc = await startRedfishBmc();
  await using worker = await workerOf(rig, { redfish: { fingerprints: [bmc.fingerprint] } });
  await report(rig, machineA, bmc, 'redfish');
  expect(await order(rig, machineA, Command.MACHINE_BMC_COMMAND_MACHINE_DELETED)).toBe('done');
  expect(bmc.done).toEqual([expect.stringContaining('"Pxe"'), 'POST {"ResetType":"On"}']);
  await report(rig, machineA, { ...bmc, password: 'wrong-secret-9' }, 'redfish');
  const refused = await order(rig, machineA, Command.MACHINE_BMC_COMMAND_OFF);
  expect(refused).toMatch(/^BMC_LOGIN: .* does not let user "root" in/);
  expect(refused + JSON.stringify(worker.log.records)).not.toMatch(/wrong-secret-9|rack-secret-7/);
});

test('the BMCs of an inventory are known to the API, with all that those that answer tell', async () => {
  await using rig = await startRig();
  await using bmc = await startRedfishBmc();
  await using sim = await startIpmiSim([
    fruCommand(['C-1', 'CS-1'], ['Board Co', 'X12', 'BS-1', 'B-1'], ['Maker', 'Server', 'P-1', 'v1', 'PS-1']),
    powerSupplyCommands(0x85, 'PSU1', [0]),
    powerSupplyCommands(0x86, 'PSU2', [0, 3]),
  ]);
  sim.setPower('1');
  const [file, passwordFile] = [join(rig.dataDir, 'bmcs.yaml'), join(rig.dataDir, 'bmc.password')];
  await writeFile(passwordFile, `${bmc.password}\n`, { mode: 0o600 });
  const entry = (uuid: string, address: string, protocol = 'redfish', user = bmc.user): object => {
    return { uuid, address, mac: '02:00:00:bb:00:65', user, passwordFile, interface: protocol };
  };
  const silent = `127.0.0.1:${await freePort()}`;
  const machineC = 'cccccccc-0000-4000-8000-00000000000c';
  await writeFile(
    file,
    JSON.stringify([
      entry(machineA, bmc.address),
      entry(machineB, silent),
      entry(machineC, sim.address, 'lanplus', sim.user),
    ]),
  );
  // What the machine itself has told of its firmware stays where the BMC says less.
  await createClient(infraV2.BMCService, rig.admin).updateBMCInfo({
    partition: 'lab',
    bmcReports: [{ uuid: machineA, bios: { vendor: 'AMI', version: '1.0', date: '01/02/2025' } }],
  });
  Object.assign(bmc.system, { BiosVersion: '2.1', SerialNumber: 'S-1', LocationIndicatorActive: true });
  bmc.system['PowerState'] = 'On';
  await using worker = await workerOf(rig, { redfish: { fingerprints: [bmc.fingerprint] }, inventory: { file } });
  const known = await vi.waitFor(async () => {
    const found = await rig.plane.stores.bmcs.get(machineA);
    if (found?.bmc === undefined || found.bmc.address === '') throw new Error('not reported yet');
    return found;
  }, WAIT);
  expect(known).toMatchObject({
    bios: { vendor: 'AMI', version: '2.1', date: '01/02/2025' },
    fru: { productSerial: 'S-1' },
    ledState: { value: 'LED-ON' },
  });
  expect((await rig.plane.stores.machines.get(machineA))?.value.status?.ledState?.value).toBe('LED-ON');
  const byIpmi = await rig.plane.stores.bmcs.get(machineC);
  expect(byIpmi).toMatchObject({
    bmc: { powerState: 'ON', version: '1.74' },
    fru: {
      chassisPartNumber: 'C-1',
      chassisPartSerial: 'CS-1',
      boardMfg: 'Board Co',
      boardMfgSerial: 'BS-1',
      boardPartNumber: 'B-1',
      productManufacturer: 'Maker',
      productPartNumber: 'P-1',
      productSerial: 'PS-1',
    },
    powerSupplies: [
      { health: 'OK', state: 'Enabled' },
      { health: 'Critical', state: 'Enabled' },
    ],
  });
  expect(worker.log.records.filter(({ msg }) => msg.includes('does not tell'))).toHaveLength(2);
  expect(known.bmc).toMatchObject({ address: bmc.address, password: bmc.password, powerState: 'ON' });
  expect(known.updatedAt).toBeDefined();
  expect(await rig.plane.stores.bmcs.get(machineB)).toBeUndefined();
  expect(await worker.metrics.text()).toContain('ingot_bmc_inventory{state="silent"} 1');
  expect(await order(rig, machineA, Command.MACHINE_BMC_COMMAND_OFF)).toBe('done');
  expect(bmc.done).toEqual(['POST {"ResetType":"ForceOff"}']);
});

test('BMCs are found by the leases of their DHCP server, and followed when their address changes', async () => {
  await using rig = await startRig();
  await using bmc = await startRedfishBmc();
  const [leases, passwordFile] = [join(rig.dataDir, 'dhcpd.leases'), join(rig.dataDir, 'bmc.password')];
  await writeFile(passwordFile, `${bmc.password}\n`, { mode: 0o600 });
  const lease = (address: string, mac: string): string =>
    `lease ${address} {\n  ends never;\n  binding state active;\n  hardware ethernet ${mac};\n}\n`;
  // The second is a stranger, where no password may go.
  await writeFile(leases, lease('127.0.0.1', '02:00:00:bb:00:65') + lease('192.0.2.9', '02:00:00:bb:00:66'));
  const port = Number(bmc.address.split(':')[1]);
  const uuid = String(bmc.system['UUID']).toLowerCase();
  // The machine has told an address that nobody has any more.
  const old = { address: `127.0.0.2:${port}`, mac: '02:00:00:BB:00:65', interface: 'redfish' };
  await createClient(infraV2.BMCService, rig.admin).updateBMCInfo({
    partition: 'lab',
    bmcReports: [{ uuid: machineB, bmc: { ...old, user: bmc.user, password: bmc.password } }],
  });
  await using worker = await workerOf(rig, {
    redfish: { fingerprints: [bmc.fingerprint] },
    leases: {
      files: [{ file: leases, format: 'dhcpd' }],
      networks: ['127.0.0.0/8'],
      user: bmc.user,
      passwordFile,
      port,
    },
  });
  const known = await vi.waitFor(async () => {
    const found = await rig.plane.stores.bmcs.get(uuid);
    if (found === undefined) throw new Error('not reported yet');
    return found;
  }, WAIT);
  expect(known.bmc).toMatchObject({ address: bmc.address, mac: '02:00:00:bb:00:65', powerState: 'OFF' });
  // The login of all BMCs stays with the worker, and serves this one.
  expect([known.bmc?.user, known.bmc?.password]).toEqual(['', '']);
  expect(await order(rig, uuid, Command.MACHINE_BMC_COMMAND_ON)).toBe('done');
  expect(await order(rig, machineB, Command.MACHINE_BMC_COMMAND_OFF)).toBe('done');
  expect(bmc.done).toEqual(['POST {"ResetType":"On"}', 'POST {"ResetType":"ForceOff"}']);
  expect(JSON.stringify(worker.log.records)).not.toContain(bmc.password);
});

test('a BMC that only a lease tells of, and that speaks IPMI alone, is named with what to do', async () => {
  await using rig = await startRig();
  await using sim = await startIpmiSim();
  const [leases, passwordFile] = [join(rig.dataDir, 'dhcpd.leases'), join(rig.dataDir, 'bmc.password')];
  await writeFile(passwordFile, 'very-secret\n', { mode: 0o600 });
  const mac = '02:00:00:bb:00:67';
  await writeFile(
    leases,
    `lease 127.0.0.1 {\n  ends never;\n  binding state active;\n  hardware ethernet ${mac};\n}\n`,
  );
  await using worker = await workerOf(rig, {
    leases: {
      files: [{ file: leases, format: 'dhcpd' }],
      networks: ['127.0.0.0/8'],
      user: 'root',
      passwordFile,
      port: Number(sim.address.split(':')[1]),
    },
  });
  const said = await vi.waitFor(() => {
    const record = worker.log.records.find(({ msg }) => msg === 'a BMC is not reported');
    if (record === undefined) throw new Error('nothing is said of it yet');
    return record;
  }, WAIT);
  expect(said).toMatchObject({
    level: 'warn',
    fields: { bmc: mac, reason: expect.stringContaining('speaks IPMI and no Redfish, so it does not say whose it is') },
  });
  expect(await rig.plane.stores.machines.list()).toEqual([]);
});

test('a BMC that does not answer is an error with a name, and keeps nobody else waiting', async () => {
  await using rig = await startRig();
  await using sim = await startIpmiSim();
  await using worker = await workerOf(rig);
  await report(rig, machineA, { address: `127.0.0.1:${await freePort()}`, user: 'ADMIN', password: 'rack-secret-7' });
  await report(rig, machineB, sim);
  const silent = order(rig, machineA, Command.MACHINE_BMC_COMMAND_ON);
  expect(await order(rig, machineB, Command.MACHINE_BMC_COMMAND_ON)).toBe('done');
  expect(await newestOf(rig, machineA)).toMatchObject({ doneAt: undefined });
  expect(await silent).toMatch(/^BMC_UNREACHABLE: the BMC at 127\.0\.0\.1:\d+ does not answer/);
  expect(await worker.metrics.text()).toContain('ingot_bmc_stream 1');
});
