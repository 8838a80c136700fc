/** `ingot bmc` as it is, killed with SIGKILL in the middle of commands; the API server and OpenIPMI's simulator stay. */
import { spawn, type ChildProcess } from 'node:child_process';
import { once } from 'node:events';
import { writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { fileURLToPath } from 'node:url';
import { adminV2, apiV2, createClient, infraV2 } from '@ingot/api';
import { systemClock, type Clock } from '@ingot/net';
import { expect, test, vi } from 'vitest';
import { machineA, startRig, type Rig } from '../../packages/api-server/test/support.ts';
import { startIpmiSim } from '../../packages/bmc-agent/test/ipmi-sim.ts';

const { MachineBMCCommand: Command } = apiV2;
const LAUNCHER = fileURLToPath(new URL('../../packages/cli/src/main.ts', import.meta.url));
const WAIT = { timeout: 60_000, interval: 50 };

async function workerFile(rig: Rig): Promise<string> {
  const tokenFile = join(rig.dataDir, 'bmc.token');
  await writeFile(tokenFile, await rig.mint({ infraRole: apiV2.InfraRole.EDITOR }), { mode: 0o600 });
  const file = join(rig.dataDir, 'bmc.yaml');
  await writeFile(
    file,
    JSON.stringify({ partition: 'lab', api: { url: rig.url, caFile: rig.plane.caFile, tokenFile } }),
  );
  return file;
}

/** Killed, and gone, whatever it is doing. */
async function kill(worker: ChildProcess): Promise<void> {
  if (worker.exitCode !== null || worker.signalCode !== null) return;
  worker.kill('SIGKILL');
  await once(worker, 'exit');
}

test(
  'a worker that is killed leaves each command one result, and resets no machine twice',
  { timeout: 300_000 },
  async () => {
    let aheadMs = 0;
    // The API's time can jump over the two minutes after which it takes a worker for killed.
    const clock: Clock = { ...systemClock, now: () => systemClock.now() + aheadMs };
    await using rig = await startRig({ clock });
    await using sim = await startIpmiSim();
    sim.setPower('1');
    const bmc = { ...sim, mac: '02:00:00:bb:00:65', interface: 'lanplus' };
    const { address, user, password, mac } = bmc;
    await createClient(infraV2.BMCService, rig.admin).updateBMCInfo({
      partition: 'lab',
      bmcReports: [{ uuid: machineA, bmc: { address, user, password, mac, interface: 'lanplus' } }],
    });
    const machines = createClient(adminV2.MachineService, rig.admin);
    const { bmcCommands } = rig.plane.stores;
    const file = await workerFile(rig);
    const workers = new Set<ChildProcess>();
    const start = (): ChildProcess => {
      const worker = spawn(process.execPath, [LAUNCHER, 'bmc', '--config', file], { stdio: 'ignore' });
      workers.add(worker);
      return worker;
    };
    const newest = async () => (await bmcCommands.list(1, 0))[0];
    const results = new Map<string, string>();
    try {
      let worker = start();
      // Killed when the BMC has done it and the worker has not heard; when it has been told; and when it has just been given.
      for (const [command, moment] of [
        [Command.MACHINE_BMC_COMMAND_RESET, 'done'],
        [Command.MACHINE_BMC_COMMAND_OFF, 'done'],
        [Command.MACHINE_BMC_COMMAND_RESET, 'given'],
        [Command.MACHINE_BMC_COMMAND_ON, 'given'],
        [Command.MACHINE_BMC_COMMAND_CYCLE, 'done'],
        [Command.MACHINE_BMC_COMMAND_RESET, 'told'],
      ] as const) {
        if (command === Command.MACHINE_BMC_COMMAND_RESET) sim.setPower('1');
        const before = sim.done().length;
        if (moment === 'done') sim.hold(true);
        await machines.bMCCommand({ uuid: machineA, command });
        await vi.waitFor(async () => {
          const ordered = await newest();
          if (moment === 'done') expect(sim.done().length).toBeGreaterThan(before);
          else expect(moment === 'given' ? ordered?.deliveredAt : ordered?.doneAt).toBeDefined();
        }, WAIT);
        await kill(worker);
        sim.hold(false);
        const id = (await newest())?.id ?? '';
        // ipmitool, which nobody waits for, may still be at it.
        await vi.waitFor(() => sim.quiet(), WAIT);
        aheadMs += 125_000;
        worker = start();
        const result = await vi.waitFor(async () => {
          const found = await bmcCommands.get(id);
          expect(found?.doneAt).toBeDefined();
          return found?.error ?? 'done';
        }, WAIT);
        results.set(id, result);
        const happened = sim
          .done()
          .slice(before)
          .filter((line) => line.startsWith(command === Command.MACHINE_BMC_COMMAND_RESET ? 'reset' : 'power'));
        const context = `${moment} ${command}: ${result}, ${happened.join('; ')}`;
        if (command === Command.MACHINE_BMC_COMMAND_RESET) {
          expect(happened.length, context).toBeLessThanOrEqual(1);
          if (result === 'done') expect(happened, context).toHaveLength(1);
          else expect(result, context).toMatch(/^BMC_UNKNOWN: not known whether it was done/);
          if (moment === 'done') expect(result, context).toMatch(/^BMC_UNKNOWN/);
          if (moment === 'told') expect(result, context).toBe('done');
        } else if (command === Command.MACHINE_BMC_COMMAND_CYCLE) {
          expect(result, context).toMatch(/^BMC_UNKNOWN/);
        } else {
          expect(result, context).toBe('done');
          expect(sim.power()).toBe(command === Command.MACHINE_BMC_COMMAND_ON ? '1' : '0');
        }
      }
      // A BMC that answers late gets a reset once, too: it would take a second message for a second reset.
      sim.setPower('1');
      const before = sim.done().length;
      sim.hold(true);
      await machines.bMCCommand({ uuid: machineA, command: Command.MACHINE_BMC_COMMAND_RESET });
      await vi.waitFor(() => expect(sim.done().length).toBeGreaterThan(before), WAIT);
      await systemClock.sleep(4000);
      sim.hold(false);
      const late = await vi.waitFor(async () => {
        const found = await newest();
        expect(found?.doneAt).toBeDefined();
        return found?.error ?? 'done';
      }, WAIT);
      expect(late).toMatch(/^(?:done|BMC_UNKNOWN: .*)$/);
      await vi.waitFor(() => sim.quiet(), WAIT);
      expect(sim.done().slice(before)).toEqual(['reset 1']);
      // No result has become another one.
      for (const [id, result] of results) expect((await bmcCommands.get(id))?.error ?? 'done').toBe(result);
      expect((await bmcCommands.list(50, 0)).filter(({ doneAt }) => doneAt === undefined)).toEqual([]);
    } finally {
      for (const worker of workers) await kill(worker);
    }
  },
);
