import { readFileSync, symlinkSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import type { MockHost } from '@ingot/net';
import {
  decodeTftp,
  encodeTftp,
  tftpAck,
  tftpError,
  tftpReadRequest,
  tftpWriteRequest,
  type TftpOption,
  type TftpPacket,
} from '@ingot/wire';
import { SERVER, testConfig, tftpConfig } from '../support/config.ts';
import { lease, relay } from '../support/dhcp-client.ts';
import { CLIENTS, MAC_1 } from '../support/dhcp-messages.ts';
import { startLab, type Lab } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { tftpFetch } from '../support/tftp-client.ts';

const snponly = readFileSync('/usr/lib/ipxe/snponly.efi');
const option = (name: string, value: string | number): TftpOption => ({ name, value: String(value) });
const FIRST_REQUEST = tftpReadRequest('snponly.efi');
const EDK2 = [option('tsize', 0), option('blksize', 1468), option('windowsize', 4)];

async function labWithRoot(): Promise<{ lab: Lab; root: string; host: MockHost }> {
  const root = temporaryFolder();
  const lab = await startLab({ config: (dir) => testConfig(dir, { tftp: tftpConfig({ root }) }) });
  return { lab, root, host: lab.network.host('machine', '10.0.1.100/24') };
}

/** Sends one packet from a socket of its own and returns what comes back, as it comes. */
async function exchange(
  lab: Lab,
  host: MockHost,
  first: TftpPacket,
): Promise<{
  heard: { packet: TftpPacket; port: number }[];
  send(packet: TftpPacket, port: number): Promise<void>;
  wait(count: number): Promise<void>;
}> {
  const address = host.attachments[0]?.address ?? '0.0.0.0';
  const socket = await host.bindUdp({ address, port: 0 });
  const heard: { packet: TftpPacket; port: number }[] = [];
  socket.onDatagram(({ data, source }) => {
    const decoded = decodeTftp(data);
    if (decoded.ok) heard.push({ packet: decoded.value, port: source.port });
  });
  await socket.send(encodeTftp(first), { address: SERVER, port: 69 });
  return {
    heard,
    send: async (packet, port) => {
      await socket.send(encodeTftp(packet), { address: SERVER, port });
      await lab.clock.advance(0);
    },
    wait: async (count) => {
      // Opening the file is real I/O: virtual time stands still meanwhile.
      const deadline = Date.now() + 20_000;
      while (heard.length < count && Date.now() < deadline) await lab.clock.advance(0);
      expect(heard.length).toBeGreaterThanOrEqual(count);
    },
  };
}

describe('a transfer', () => {
  it.each([
    ['in blocks of 512 without options', []],
    ['as iPXE asks', [option('blksize', 1432), option('tsize', 0)]],
    ['as EDK2 asks', EDK2],
    ['in a window of 64', [option('blksize', 1468), option('windowsize', 64)]],
  ])('arrives whole %s', async (_name, options) => {
    const lab = await startLab();
    const host = lab.network.host('machine', '10.0.1.100/24');
    const result = await tftpFetch(lab, host, '52-54-00-00-01-01/snponly.efi', options);
    expect(result.ok && Buffer.compare(result.bytes, snponly)).toBe(0);
    expect(lab.log.events('tftp.done').map(({ fields }) => fields)).toMatchObject([
      { mac: '52:54:00:00:01:01', file: 'snponly.efi', bytes: snponly.length },
    ]);
  });

  it.each([
    ['loss', { loss: 0.1 }],
    ['duplicates', { duplicate: 0.3 }],
    ['reordering', { reorder: 0.2, delayMs: 5, jitterMs: 5 }],
    ['all of them', { loss: 0.05, duplicate: 0.1, reorder: 0.1, delayMs: 2, jitterMs: 10 }],
  ])('arrives whole through %s, in lockstep and in windows', async (_name, impairment) => {
    const lab = await startLab();
    const host = lab.network.host('machine', '10.0.1.100/24');
    lab.network.impair(impairment);
    for (const windowsize of [1, 16]) {
      const result = await tftpFetch(lab, host, 'undionly.kpxe', [
        option('blksize', 1468),
        option('windowsize', windowsize),
      ]);
      expect(result.ok && Buffer.compare(result.bytes, readFileSync('/usr/lib/ipxe/undionly.kpxe'))).toBe(0);
    }
  });

  it('of a file that fills its last block ends with an empty one', async () => {
    const { lab, root, host } = await labWithRoot();
    writeFileSync(join(root, 'even'), Buffer.alloc(1024, 7));
    writeFileSync(join(root, 'empty'), '');
    const even = await tftpFetch(lab, host, 'even');
    expect(even.ok && even.bytes.length).toBe(1024);
    const empty = await tftpFetch(lab, host, 'empty');
    expect(empty.ok && empty.bytes.length).toBe(0);
  });
});

describe('in single-port mode', () => {
  it('everything comes from port 69, several transfers at a time', async () => {
    const lab = await startLab({ config: (dir) => testConfig(dir, { tftp: tftpConfig({ singlePort: true }) }) });
    const host = lab.network.host('machine', '10.0.1.100/24');
    const ports = new Set<number>();
    lab.network.intercept(({ source, target }) => {
      if (target.address === '10.0.1.100') ports.add(source.port);
      return undefined;
    });
    const results = await Promise.all([EDK2, []].map((options) => tftpFetch(lab, host, 'undionly.kpxe', options)));
    for (const result of results)
      expect(result.ok && Buffer.compare(result.bytes, readFileSync('/usr/lib/ipxe/undionly.kpxe'))).toBe(0);
    expect([...ports]).toEqual([69]);
  });
});

describe('options', () => {
  it('are lowered to what an Ethernet frame and firmware bear, and known in any case', async () => {
    const lab = await startLab();
    const client = await exchange(
      lab,
      lab.network.host('machine', '10.0.1.100/24'),
      tftpReadRequest('snponly.efi', [
        option('BLKSIZE', 65464),
        option('WindowSize', 1000),
        option('tsize', 0),
        option('timeout', 3),
        option('multicast', ''),
        option('blksize', 9),
      ]),
    );
    await client.wait(1);
    expect(client.heard[0]?.packet).toMatchObject({
      kind: 'oack',
      options: [
        option('BLKSIZE', 1468),
        option('WindowSize', 64),
        option('tsize', snponly.length),
        option('timeout', 3),
      ],
    });
  });

  it('are granted up to what is configured', async () => {
    const config = tftpConfig({ maxBlksize: 1024, maxWindowsize: 2 });
    const lab = await startLab({ config: (dir) => testConfig(dir, { tftp: config }) });
    const client = await exchange(
      lab,
      lab.network.host('machine', '10.0.1.100/24'),
      tftpReadRequest('snponly.efi', [option('blksize', 1468), option('windowsize', 8), option('timeout', 200)]),
    );
    await client.wait(1);
    expect(client.heard[0]?.packet).toMatchObject({
      kind: 'oack',
      options: [option('blksize', 1024), option('windowsize', 2)],
    });
  });

  it('that make no sense are left out', async () => {
    const lab = await startLab();
    const client = await exchange(
      lab,
      lab.network.host('machine', '10.0.1.100/24'),
      tftpReadRequest('snponly.efi', [option('blksize', 7), option('windowsize', 0), option('timeout', 'soon')]),
    );
    await client.wait(1);
    expect(client.heard[0]?.packet).toMatchObject({ kind: 'data', block: 1 });
  });

  it('a size probe that ends in error 8 is no failure', async () => {
    const lab = await startLab();
    const client = await exchange(
      lab,
      lab.network.host('machine', '10.0.1.100/24'),
      tftpReadRequest('snponly.efi', EDK2),
    );
    await client.wait(1);
    await client.send(tftpError(8, 'User aborted the transfer'), client.heard[0]?.port ?? 0);
    await lab.clock.advance(60_000);
    expect(client.heard).toHaveLength(1);
    expect(lab.log.events('tftp.probed')).toHaveLength(1);
    expect(lab.log.events('tftp.failed')).toHaveLength(0);
  });
});

describe('names', () => {
  it.each([
    ['with the byte 0xff that some ROMs append', 'snponly.efi\u00ff'],
    ['with a slash in front', '/52-54-00-00-01-01/snponly.efi'],
    ['with backslashes', '\\52-54-00-00-01-01\\snponly.efi'],
  ])('are understood %s', async (_what, name) => {
    const lab = await startLab();
    const result = await tftpFetch(lab, lab.network.host('machine', '10.0.1.100/24'), name, EDK2);
    expect(result.ok).toBe(true);
  });

  it.each([
    '../secret',
    '..\\secret',
    'a/../../secret',
    '/etc/passwd',
    'link',
    'link/passwd',
    '.',
    '',
    'x/./y',
    'nothing',
    '52-54-00-00-01-01/../secret',
  ])('%j leads nowhere', async (name) => {
    const { lab, root, host } = await labWithRoot();
    writeFileSync(join(root, '..', 'secret'), 'secret');
    symlinkSync('/etc', join(root, 'link'));
    const result = await tftpFetch(lab, host, name);
    expect(result).toMatchObject({ ok: false });
    expect(!result.ok && [1, 2].includes(result.code)).toBe(true);
    expect(lab.log.events('tftp.failed')).toHaveLength(1);
  });

  it('autoexec.ipxe is answered with a script', async () => {
    const lab = await startLab();
    const result = await tftpFetch(
      lab,
      lab.network.host('machine', '10.0.1.100/24'),
      '52-54-00-00-01-01/autoexec.ipxe',
    );
    expect(result.ok && Buffer.from(result.bytes).toString()).toContain('#!ipxe\n');
  });
});

describe('refusals', () => {
  it('writing is refused', async () => {
    const lab = await startLab();
    const client = await exchange(lab, lab.network.host('machine', '10.0.1.100/24'), tftpWriteRequest('snponly.efi'));
    await client.wait(1);
    expect(client.heard[0]?.packet).toMatchObject({ kind: 'error', code: 2 });
  });

  it('modes other than octet are refused', async () => {
    const lab = await startLab();
    const client = await exchange(
      lab,
      lab.network.host('machine', '10.0.1.100/24'),
      tftpReadRequest('snponly.efi', [], 'netascii'),
    );
    await client.wait(1);
    expect(client.heard[0]?.packet).toMatchObject({ kind: 'error', code: 0 });
  });

  it('a client that vanishes is given up, with its cause in the log', async () => {
    const lab = await startLab();
    const client = await exchange(lab, lab.network.host('machine', '10.0.1.100/24'), tftpReadRequest('snponly.efi'));
    await client.wait(1);
    await lab.clock.advance(60_000);
    expect(client.heard.filter(({ packet }) => packet.kind === 'data')).toHaveLength(5);
    expect(lab.log.events('tftp.failed')[0]?.fields).toMatchObject({
      cause: 'no-answer',
      file: 'snponly.efi',
      bytes: 0,
    });
    expect(lab.clock.pendingTimers).toBe(0);
  });

  it('one client cannot take every transfer', async () => {
    const lab = await startLab();
    const host = lab.network.host('machine', '10.0.1.100/24');
    const clients = [];
    for (let count = 0; count < tftpConfig().maxTransfersPerClient + 3; count += 1)
      clients.push(await exchange(lab, host, tftpReadRequest('snponly.efi')));
    await clients[0]?.wait(1);
    await clients[tftpConfig().maxTransfersPerClient - 1]?.wait(1);
    expect(clients.filter(({ heard }) => heard.length > 0)).toHaveLength(tftpConfig().maxTransfersPerClient);
    expect(await lab.drops('tftp', 'too-many-transfers')).toBe(3);
    const other = await tftpFetch(lab, lab.network.host('other', '10.0.1.101/24'), 'undionly.kpxe');
    expect(other.ok).toBe(true);
  });

  it('a client that was restarted in mid-transfer and asks from the same port is served anew', async () => {
    const lab = await startLab();
    const client = await exchange(lab, lab.network.host('machine', '10.0.1.100/24'), tftpReadRequest('snponly.efi'));
    await client.wait(1);
    await client.send(tftpReadRequest('snponly.efi'), 69);
    expect(await lab.drops('tftp', 'repeated-request')).toBe(1);
    await client.send(tftpReadRequest('snponly.efi', EDK2), 69);
    await client.wait(2);
    expect(client.heard[1]?.packet.kind).toBe('oack');
    expect(lab.log.events('tftp.failed')[0]?.fields).toMatchObject({ cause: 'superseded' });
  });

  it('no more transfers than configured are under way, once their clients were heard of', async () => {
    const lab = await startLab({ config: (dir) => testConfig(dir, { tftp: tftpConfig({ maxTransfers: 2 }) }) });
    for (const end of [100, 101]) {
      const client = await exchange(lab, lab.network.host(`host ${end}`, `10.0.1.${end}/24`), FIRST_REQUEST);
      await client.wait(1);
      await client.send(tftpAck(1), client.heard[0]?.port ?? 0);
      await client.wait(2);
    }
    await exchange(lab, lab.network.host('host 102', '10.0.1.102/24'), FIRST_REQUEST);
    await lab.clock.advance(0);
    expect(await lab.drops('tftp', 'too-many-transfers')).toBe(1);
  });

  it('requests from invented addresses keep no machine from its file', async () => {
    const lab = await startLab({ config: (dir) => testConfig(dir, { tftp: tftpConfig({ maxTransfers: 2 }) }) });
    for (const end of [100, 101, 102]) {
      const invented = await exchange(lab, lab.network.host(`host ${end}`, `10.0.1.${end}/24`), FIRST_REQUEST);
      await invented.wait(1);
    }
    const machine = await tftpFetch(lab, lab.network.host('machine', '10.0.1.103/24'), 'undionly.kpxe');
    expect(machine.ok).toBe(true);
    expect(lab.log.events('tftp.failed').map(({ fields }) => fields['cause'])).toEqual(['displaced', 'displaced']);
    expect(await lab.drops('tftp', 'too-many-transfers')).toBe(0);
  });

  it('a stranger at the transfer’s port is told so and does not disturb it', async () => {
    const lab = await startLab();
    const client = await exchange(lab, lab.network.host('machine', '10.0.1.100/24'), tftpReadRequest('snponly.efi'));
    await client.wait(1);
    const port = client.heard[0]?.port ?? 0;
    const stranger = await exchange(lab, lab.network.host('stranger', '10.0.1.101/24'), tftpError(0, 'x'));
    await stranger.send(tftpAck(1), port);
    await stranger.wait(1);
    expect(stranger.heard[0]?.packet).toMatchObject({ kind: 'error', code: 5 });
    await client.send(tftpAck(1), port);
    await client.wait(2);
    expect(client.heard[1]?.packet).toMatchObject({ kind: 'data', block: 2 });
  });
});

describe('what fails over and over', () => {
  it('is said five times in ten seconds for each client, then counted, and is all in the timeline', async () => {
    const { lab, host } = await labWithRoot();
    const other = lab.network.host('other', '10.0.1.101/24');
    const ask = async (from: MockHost): Promise<void> => {
      const talk = await exchange(lab, from, tftpReadRequest('52-54-00-00-01-01/none', []));
      await talk.wait(1);
    };
    for (let count = 0; count < 12; count += 1) await ask(host);
    const warned = (): number => lab.log.events('tftp.failed').filter(({ level }) => level === 'warn').length;
    expect(warned()).toBe(5);
    await ask(other);
    expect(warned()).toBe(6);
    expect(await lab.metrics.text()).toContain('ingot_boot_server_quieted_total{service="tftp"} 7');
    expect(await lab.drops('tftp', 'unknown-file')).toBe(13);
    const entries = lab.server.watch.timeline.find('52:54:00:00:01:01')?.entries ?? [];
    expect(entries.reduce((sum, { repeats }) => sum + 1 + repeats, 0)).toBe(13);
    await lab.clock.advance(10_000);
    await ask(host);
    expect(warned()).toBe(7);
  });

  it('of many clients at once is said 200 times', async () => {
    const lab = await startLab();
    for (let count = 0; count < 210; count += 1) {
      const host = lab.network.host(`host-${count}`, `10.0.2.${count + 1}/24`);
      const talk = await exchange(lab, host, tftpReadRequest('none', []));
      await talk.wait(1);
    }
    expect(lab.log.events('tftp.failed').filter(({ level }) => level === 'warn')).toHaveLength(200);
    expect(await lab.metrics.text()).toContain('ingot_boot_server_quieted_total{service="tftp"} 10');
  });
});

describe('the timeline of a machine whose address is known', () => {
  it('has what of it was dropped, although such a packet names nobody', async () => {
    const lab = await startLab();
    const ack = await lease(await relay(lab, '10.0.1.1'), { mac: MAC_1, kind: CLIENTS.biosRom });
    const host = lab.network.host('machine', `${ack.packet.yiaddr}/24`);
    await using socket = await host.bindUdp({ address: ack.packet.yiaddr, port: 0 });
    await socket.send(encodeTftp(tftpWriteRequest('x')), { address: SERVER, port: 69 });
    await socket.send(Uint8Array.of(0, 9), { address: SERVER, port: 69 });
    await socket.send(Uint8Array.of(1, 1, 6, 0), { address: SERVER, port: 4011 });
    await lab.clock.advance(0);
    const dropped = lab.server.watch.timeline
      .find(MAC_1)
      ?.entries.filter(({ event }) => event.endsWith('.dropped'))
      .map(({ event, fields }) => [event, fields['reason']]);
    expect(dropped).toEqual([
      ['tftp.dropped', 'write-refused'],
      ['tftp.dropped', 'malformed'],
      ['pxe.dropped', 'malformed'],
    ]);
  });
});
