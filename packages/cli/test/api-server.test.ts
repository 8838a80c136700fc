import { mkdtemp, readFile, rm } from 'node:fs/promises';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { apiV2, type Channel, createChannel, createClient, infraV2, timestampFromMs } from '@ingot/api';
import { type ControlPlane, startControlPlane } from '@ingot/api-server';
import { MemoryLogger } from '@ingot/daemon';
import { systemClock, systemEntropy } from '@ingot/net';
import { afterAll, beforeAll, expect, test } from 'vitest';
import { type Answer, run } from './api-kit.ts';

const UUID = '00000000-0000-4000-8000-00000000000a';

let folder: string;
let plane: ControlPlane;
let channel: Channel;

beforeAll(async () => {
  folder = await mkdtemp(join(tmpdir(), 'ingot-plane-'));
  plane = await startControlPlane({
    dataDir: join(folder, 'data'),
    listen: ['127.0.0.1:0'],
    names: [],
    partitions: [
      {
        id: 'lab',
        description: '',
        bootConfiguration: { kernelUrl: 'http://10.0.0.1/kernel', imageUrl: 'http://10.0.0.1/initrd', commandline: '' },
        dnsServers: [],
        ntpServers: [],
      },
    ],
    clock: systemClock,
    entropy: systemEntropy,
    log: new MemoryLogger(),
  });
});

afterAll(async () => {
  channel?.close();
  await plane.stop();
  await rm(folder, { recursive: true, force: true });
});

function url(): string {
  return `https://${plane.server.addresses[0] ?? ''}`;
}

function ingot(tokenFile: string, ...argv: string[]): Promise<Answer> {
  return run(argv, { INGOT_API_URL: url(), INGOT_API_CA_FILE: plane.caFile, INGOT_API_TOKEN_FILE: tokenFile });
}

test('an administrator mints a token for agents, and what they register is listed and described', async () => {
  const agentToken = join(folder, 'agent.token');
  const created = await ingot(
    plane.adminTokenFile,
    'token',
    'create',
    '--user=agents',
    '--infra-role=editor',
    '--machine-role=*=editor',
    `--file=${agentToken}`,
  );
  expect(created).toEqual({
    status: 0,
    stdout: '',
    stderr: expect.stringMatching(/^wrote the token to .*, valid until 20/),
  });

  channel = createChannel({ url: url(), ca: await readFile(plane.caFile, 'utf8'), tokenFile: agentToken });
  const { UP } = apiV2.SwitchPortStatus;
  for (const [id, managementIp] of [
    ['leaf01', '10.0.0.11'],
    ['leaf02', '10.0.0.12'],
  ] as const) {
    await createClient(infraV2.SwitchService, channel).register({
      switch: {
        id,
        partition: 'lab',
        rack: 'rack-1',
        replaceMode: apiV2.SwitchReplaceMode.OPERATIONAL,
        managementIp,
        os: { vendor: apiV2.SwitchOSVendor.SWITCH_OS_VENDOR_SONIC, version: '202411', metalCoreVersion: 'ingot 0.1.0' },
        nics: [{ name: 'Ethernet0', identifier: 'Eth1/1', state: { actual: UP } }],
      },
    });
  }
  const neighbor = (hostname: string, mac: string) => ({ mac, name: 'Eth1/1', identifier: 'Eth1/1', hostname });
  await createClient(infraV2.BootService, channel).register({
    uuid: UUID,
    partition: 'lab',
    metalHammerVersion: 'ingot 0.1.0',
    bios: { vendor: 'SeaBIOS', version: '1', date: '2014' },
    bmc: { address: '10.0.0.101:623', mac: '52:54:00:00:02:01', user: 'metal', password: 'very-secret' },
    tags: ['ingot.inventory.disk/sda=Model X;S1;F1;1000'],
    hardware: {
      memory: 1024n ** 3n,
      cpus: [{ vendor: 'AMD', model: 'EPYC', cores: 4, threads: 8 }],
      disks: [{ name: '/dev/sda', size: 1000n }],
      nics: [
        { mac: '52:54:00:00:01:01', name: 'eth0', neighbors: [neighbor('leaf01', '02:00:00:00:01:00')] },
        { mac: '52:54:00:00:01:02', name: 'eth1', neighbors: [neighbor('leaf02', '02:00:00:00:02:00')] },
      ],
    },
  });
  await createClient(infraV2.EventService, channel).send({
    events: {
      [UUID]: {
        time: timestampFromMs(Date.now()),
        event: apiV2.MachineProvisioningEventType.WAITING,
        message: 'waiting for allocation',
      },
    },
  });

  expect((await ingot(plane.adminTokenFile, 'machine', 'ls', '--no-headers')).stdout).toMatch(
    new RegExp(`^${UUID} +Waiting +\\d+s .* lab +rack-1\\n$`),
  );
  expect((await ingot(plane.adminTokenFile, 'switch', 'ls', '--no-headers')).stdout).toMatch(
    /^leaf01 +lab +rack-1 +SONiC \(202411\) +1\/1 +1 .*\nleaf02 /,
  );
  const described = await ingot(plane.adminTokenFile, 'machine', 'describe', UUID.slice(0, 8));
  for (const part of ['Model X;S1;F1;1000', 'leaf01', 'leaf02', 'waiting for allocation', 'EPYC', '10.0.0.101:623']) {
    expect(described.stdout).toContain(part);
  }
  expect(described.stdout).not.toContain('very-secret');
  expect((await ingot(plane.adminTokenFile, 'switch', 'describe', 'leaf02')).stdout).toContain(UUID);

  const update = (...argv: string[]) => ingot(plane.adminTokenFile, 'machine', 'update', UUID.slice(0, 8), ...argv);
  const labels = 'ingot.inventory.disk/sda=Model X;S1;F1;1000';
  expect(await update('--add-label', 'ingot.dev/no-reboot=burn-in', 'row=7')).toEqual({
    status: 0,
    stdout: `machine ${UUID} has ingot.dev/no-reboot=burn-in, ${labels}, row=7\n`,
    stderr: '',
  });
  expect((await update('--remove-label', 'ingot.dev/no-reboot', 'row')).stdout).toBe(`machine ${UUID} has ${labels}\n`);
  expect((await update('--remove-label', 'ingot.dev/wipe')).stderr).toContain('orders and their answers');

  const refused = await ingot(agentToken, 'machine', 'ls');
  expect(refused.status).toBe(4);
  expect(refused.stderr).toContain('does not allow this');
});
