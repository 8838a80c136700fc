import { statSync, writeFileSync } from 'node:fs';
import { connect } from 'node:net';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { adminClient, type AdminClient } from '../../src/admin/client.ts';
import { BootServerErrorCode } from '../../src/errors.ts';
import { testConfig } from '../support/config.ts';
import { lease, relay } from '../support/dhcp-client.ts';
import { CLIENTS, MAC_1, MAC_2, UUID } from '../support/dhcp-messages.ts';
import { startLab, type Lab } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const clientOf = (lab: Lab): AdminClient => adminClient(join(lab.dataDir, 'admin.sock'));

describe('the admin socket', () => {
  it('shows machines with their state, and the same by NIC and by UUID', async () => {
    const lab = await startLab();
    const first = await lease(await relay(lab, '10.0.1.1'), { mac: MAC_1, kind: CLIENTS.biosRom });
    await lab.clock.advance(120_000);
    await lease(await relay(lab, '10.0.2.1'), { mac: MAC_2, kind: CLIENTS.udhcpc });
    const [machine, plain, ...rest] = await clientOf(lab).machines();
    expect(rest).toEqual([]);
    expect(machine).toMatchObject({
      uuid: UUID,
      macs: [MAC_1],
      address: first.packet.yiaddr,
      stage: 'offered',
      stuck: true,
      usualSeconds: 90,
      boots: 1,
      problem: null,
    });
    expect(plain).toMatchObject({ uuid: null, macs: [MAC_2], stage: 'seen', stuck: false });
    const byMac = await clientOf(lab).timeline(MAC_1.toUpperCase().replaceAll(':', '-'));
    expect(byMac.entries.map(({ event, mac }) => [event, mac])).toEqual([
      ['dhcp.offer', MAC_1],
      ['dhcp.ack', MAC_1],
    ]);
    expect(byMac.entries[1]?.fields).toMatchObject({ address: first.packet.yiaddr, boot: 'chain-tftp' });
    expect(await clientOf(lab).timeline(UUID)).toEqual(byMac);
    const later = await clientOf(lab).timeline(UUID, byMac.entries[0]?.seq);
    expect(later.entries.map(({ event }) => event)).toEqual(['dhcp.ack']);
    expect(later.first).toBe(byMac.first);
  });

  it('shows the leases with their networks', async () => {
    const lab = await startLab();
    await lease(await relay(lab, '10.0.1.1'), { mac: MAC_1, kind: CLIENTS.biosRom });
    const bound = { address: '10.0.1.100', mac: MAC_1, uuid: UUID, subnet: '10.0.1.0/24' };
    expect(await clientOf(lab).leases()).toMatchObject([{ ...bound, state: 'bound' }]);
    await lab.clock.advance(3_600_000);
    expect(await clientOf(lab).leases()).toMatchObject([{ ...bound, state: 'expired' }]);
  });

  it('is counted in the metrics', async () => {
    const lab = await startLab();
    await lease(await relay(lab, '10.0.1.1'), { mac: MAC_1, kind: CLIENTS.biosRom });
    await lab.clock.advance(120_000);
    const metrics = await lab.metrics.text();
    expect(metrics).toContain('ingot_boot_server_machines{stage="offered"} 1');
    expect(metrics).toContain('ingot_boot_server_stuck_machines{stage="offered"} 1');
  });

  it('is for its owner only, and says what it does not know', async () => {
    const lab = await startLab();
    expect(statSync(join(lab.dataDir, 'admin.sock')).mode & 0o777).toBe(0o600);
    await expect(clientOf(lab).timeline(MAC_1)).rejects.toMatchObject({
      code: BootServerErrorCode.AdminRefused,
      message: expect.stringContaining('nothing was heard of'),
    });
    await expect(clientOf(lab).timeline('machine1')).rejects.toThrow('neither a MAC address nor a UUID');
  });

  it.each([
    [
      'a question for what else has port 67',
      'GET /v1/neighbours HTTP/1.1\r\nHost: a\r\nConnection: close\r\n\r\n',
      200,
    ],
    ['an unknown path', 'GET /v1/secrets HTTP/1.1\r\nHost: a\r\n\r\n', 404],
    ['another method', 'POST /v1/machines HTTP/1.1\r\nHost: a\r\nContent-Length: 0\r\n\r\n', 405],
    ['a broken escape', 'GET /v1/machines/%ff HTTP/1.1\r\nHost: a\r\n\r\n', 400],
    ['no HTTP', 'hello\r\n\r\n', 400],
  ])('answers %s with its status and goes on', async (_name, text, status) => {
    const lab = await startLab();
    const answer = await new Promise<string>((resolve) => {
      const socket = connect(join(lab.dataDir, 'admin.sock'), () => socket.end(text));
      let got = '';
      socket.on('data', (part) => (got += part.toString()));
      socket.on('close', () => resolve(got));
    });
    expect(answer).toMatch(new RegExp(`^HTTP/1.1 ${status} `));
    expect(await clientOf(lab).machines()).toEqual([]);
  });

  it('lies where the configuration says, and is gone with the server', async () => {
    const folder = temporaryFolder();
    const socket = join(folder, 'elsewhere.sock');
    const config = (dir: string): ReturnType<typeof testConfig> => testConfig(dir, { admin: { socket } });
    const lab = await startLab({ config });
    expect(await adminClient(socket).machines()).toEqual([]);
    await lab.server.stop();
    await expect(adminClient(socket).machines()).rejects.toMatchObject({
      code: BootServerErrorCode.AdminAway,
      message: expect.stringContaining('no boot server runs behind'),
    });
  });

  it('takes away no file that is not a socket', async () => {
    const folder = temporaryFolder();
    const socket = join(folder, 'important');
    writeFileSync(socket, 'data');
    const config = (dir: string): ReturnType<typeof testConfig> => testConfig(dir, { admin: { socket } });
    await expect(startLab({ config })).rejects.toMatchObject({ code: BootServerErrorCode.ListenFailed });
  });
});

describe('a data directory', () => {
  it('serves one boot server at a time', async () => {
    const lab = await startLab();
    await expect(startLab({ dataDir: lab.dataDir })).rejects.toMatchObject({
      code: BootServerErrorCode.DataDirInUse,
      message: `another boot server (process ${process.pid}) uses ${lab.dataDir}: stop it, or give this one a dataDir of its own`,
    });
    await lab.server.stop();
    await startLab({ dataDir: lab.dataDir });
  });
});
