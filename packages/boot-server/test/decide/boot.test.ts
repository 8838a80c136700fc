import { describe, expect, it } from 'vitest';
import { MessageType } from '@ingot/wire';
import { subnetConfig, testConfig } from '../support/config.ts';
import { lease, localClient, relay, selecting } from '../support/dhcp-client.ts';
import {
  CLIENTS,
  fieldText,
  ip,
  MAC_1,
  MAC_2,
  message,
  readReply,
  UUID,
  type ClientKind,
  type Reply,
} from '../support/dhcp-messages.ts';
import { startLab, type Lab } from '../support/lab.ts';
import { tftpFetch } from '../support/tftp-client.ts';

const { DISCOVER, REQUEST } = MessageType;
const file = (reply: Reply | undefined): string => fieldText(reply?.packet.file ?? new Uint8Array());
const events = (lab: Lab): unknown[] =>
  lab.log.records.map(({ fields }) => fields['event']).filter((event) => /^(dhcp|pxe|tftp)\./.test(String(event)));

/** A PXE question on port 4011 from `port`, and its answer. */
async function askPxe(
  lab: Lab,
  address: string,
  port: number,
  kind: ClientKind,
  type: MessageType = REQUEST,
): Promise<Reply | undefined> {
  const host = lab.network.host(`pxe ${address}`, `${address}/24`);
  const socket = await host.bindUdp({ address, port });
  let reply: Reply | undefined;
  socket.onDatagram(({ data, source }) => {
    expect(source).toEqual({ address: '10.0.0.1', port: 4011 });
    reply = readReply(data);
  });
  await socket.send(message(type, { mac: MAC_1, kind, ciaddr: ip(address) }), { address: '10.0.0.1', port: 4011 });
  await lab.clock.advance(0);
  return reply;
}

describe('whole conversations', () => {
  it('a plain BIOS chains undionly by TFTP, is recognised and goes to the script, without a loop', async () => {
    const lab = await startLab();
    const via = await relay(lab, '10.0.1.1');
    const rom = await lease(via, { mac: MAC_1, kind: CLIENTS.biosRom });
    const machine = lab.network.host('machine', `${rom.packet.yiaddr}/24`);
    const undionly = await tftpFetch(lab, machine, file(rom), [
      { name: 'tsize', value: '0' },
      { name: 'blksize', value: '1432' },
    ]);
    expect(undionly.ok && undionly.bytes.length).toBe(74_213);
    const ipxe = await lease(via, { mac: MAC_1, kind: CLIENTS.biosIpxe });
    expect(ipxe.packet.yiaddr).toBe(rom.packet.yiaddr);
    expect(file(ipxe)).toMatch(/^http:\/\/10\.0\.0\.1:8080\/_\/ipxe\?/);
    expect(events(lab)).toEqual(['dhcp.offer', 'dhcp.ack', 'tftp.start', 'tftp.done', 'dhcp.offer', 'dhcp.ack']);
    expect(lab.api.calls).toEqual([`dhcp ${UUID}`]);
    const named = lab.log.records.filter(({ fields }) => /^(dhcp|tftp)\./.test(String(fields['event'])));
    for (const { fields } of named) expect(fields).toMatchObject({ mac: MAC_1, uuid: UUID });
  });

  it('an iPXE ROM goes to the script at once', async () => {
    const lab = await startLab();
    const ack = await lease(await relay(lab, '10.0.1.1'), { mac: MAC_1, kind: CLIENTS.biosIpxe });
    expect(file(ack)).toContain('/_/ipxe?arch=0&');
    expect(events(lab)).toEqual(['dhcp.offer', 'dhcp.ack']);
  });

  it('EDK2 probes the size, loads snponly, and that goes to the script', async () => {
    const lab = await startLab();
    const via = await relay(lab, '10.0.1.1');
    const edk2 = await lease(via, { mac: MAC_1, kind: CLIENTS.edk2 });
    const machine = lab.network.host('machine', `${edk2.packet.yiaddr}/24`);
    const loaded = await tftpFetch(lab, machine, file(edk2), [
      { name: 'blksize', value: '1468' },
      { name: 'windowsize', value: '4' },
    ]);
    expect(loaded.ok && loaded.bytes.length).toBe(173_792);
    expect(file(await lease(via, { mac: MAC_1, kind: CLIENTS.efiIpxe }))).toContain('/_/ipxe?arch=1&');
  });

  it('UEFI HTTP boot loads the URL it was given', async () => {
    const lab = await startLab();
    const ack = await lease(await relay(lab, '10.0.1.1'), { mac: MAC_1, kind: CLIENTS.edk2Http });
    const { pathname } = new URL(file(ack));
    const head = await lab.get(pathname, { method: 'HEAD' });
    expect(head.headers.get('content-length')).toBe('173792');
    expect((await (await lab.get(pathname)).arrayBuffer()).byteLength).toBe(173_792);
  });

  it('EDK2 beside another DHCP server asks port 4011 and is answered at its port', async () => {
    const lab = await startLab({
      config: (dir) =>
        testConfig(dir, {
          dhcp: { ...testConfig(dir).dhcp, mode: 'proxy', subnets: [subnetConfig('10.0.1', { pool: undefined })] },
        }),
    });
    const offer = await (await relay(lab, '10.0.1.1')).ask(DISCOVER, { mac: MAC_1, kind: CLIENTS.edk2 });
    expect(offer?.packet.siaddr).toBe('10.0.0.1');
    const ack = await askPxe(lab, '10.0.1.120', 4011, CLIENTS.edk2);
    expect(file(ack)).toBe('52-54-00-00-01-01/snponly.efi');
    expect(ack?.options.get(53)).toEqual(Uint8Array.of(MessageType.ACK));
    expect(ack?.packet).toMatchObject({ siaddr: '10.0.0.1', ciaddr: '10.0.1.120', yiaddr: '0.0.0.0' });
    expect(Buffer.from(ack?.options.get(97) ?? []).toString('hex')).toBe('008e12374b726e8d4a87da8ad4d775582c');
    const machine = lab.network.host('machine', '10.0.1.121/24');
    expect((await tftpFetch(lab, machine, file(ack))).ok).toBe(true);
    expect(events(lab)).toEqual(['dhcp.offer', 'pxe.ack', 'tftp.start', 'tftp.done']);
  });

  it('a BIOS asks port 4011 from port 68', async () => {
    const lab = await startLab();
    expect(file(await askPxe(lab, '10.0.1.120', 68, CLIENTS.biosRom))).toBe('52-54-00-00-01-01/undionly.kpxe');
  });

  it('port 4011 has nothing for DISCOVER, for HTTP boot and for who does not boot', async () => {
    const lab = await startLab();
    expect(await askPxe(lab, '10.0.1.120', 68, CLIENTS.edk2, DISCOVER)).toBeUndefined();
    expect(await askPxe(lab, '10.0.1.121', 68, CLIENTS.edk2Http)).toBeUndefined();
    expect(await askPxe(lab, '10.0.1.122', 68, CLIENTS.udhcpc)).toBeUndefined();
  });

  it('a machine with two NICs behind two leaves has an address of each, and is one boot to the API', async () => {
    const lab = await startLab();
    const first = await lease(await relay(lab, '10.0.1.1'), { mac: MAC_1, kind: CLIENTS.efiIpxe });
    const second = await lease(await relay(lab, '10.0.2.1'), { mac: MAC_2, kind: CLIENTS.efiIpxe });
    expect([first.packet.yiaddr, second.packet.yiaddr]).toEqual(['10.0.1.100', '10.0.2.100']);
    expect(lab.api.calls).toEqual([`dhcp ${UUID}`]);
  });

  it('the operating system keeps the address of the firmware, under whatever client identifier', async () => {
    const lab = await startLab();
    const via = await relay(lab, '10.0.1.1');
    const firmware = await lease(via, { mac: MAC_1, kind: CLIENTS.edk2 });
    const offer = await via.ask(DISCOVER, { mac: MAC_1, kind: CLIENTS.udhcpc }, [
      { code: 61, data: Uint8Array.of(255, 1, 2, 3) },
    ]);
    expect(offer?.packet.yiaddr).toBe(firmware.packet.yiaddr);
    expect(offer?.options.get(61)).toEqual(Uint8Array.of(255, 1, 2, 3));
  });

  it('a machine gets its lease through loss, duplicates and reordering', async () => {
    const lab = await startLab();
    const client = await localClient(lab, lab.network.host('machine', '10.0.0.77/24'));
    lab.network.impair({ loss: 0.3, duplicate: 0.3, reorder: 0.3, delayMs: 1, jitterMs: 30 });
    const ask = async (data: Uint8Array, type: MessageType): Promise<Reply> => {
      for (let attempt = 0; attempt < 30; attempt += 1) {
        client.post(data);
        await lab.clock.advance(1_000);
        const found = client.heard.find(({ options }) => options.get(53)?.[0] === type);
        if (found !== undefined) return found;
      }
      throw new Error('no answer');
    };
    const offer = await ask(message(DISCOVER, { mac: MAC_1, kind: CLIENTS.edk2 }), MessageType.OFFER);
    const ack = await ask(message(REQUEST, { mac: MAC_1, kind: CLIENTS.edk2 }, selecting(offer)), MessageType.ACK);
    expect(ack.packet.yiaddr).toBe('10.0.0.100');
    expect(new Set(client.heard.map(({ packet }) => packet.yiaddr))).toEqual(new Set(['10.0.0.100']));
  });

  it('the API being away delays no offer', async () => {
    const lab = await startLab();
    lab.api.dhcp = () => new Promise(() => undefined);
    const offer = await (await relay(lab, '10.0.1.1')).ask(DISCOVER, { mac: MAC_1, kind: CLIENTS.edk2 });
    expect(offer?.packet.yiaddr).toBe('10.0.1.100');
  });

  it('leases are there after a restart', async () => {
    const first = await startLab();
    const ack = await lease(await relay(first, '10.0.1.1'), { mac: MAC_2, kind: CLIENTS.edk2 });
    await first.server.stop();
    const second = await startLab({ dataDir: first.dataDir });
    const via = await relay(second, '10.0.1.1');
    const other = await via.ask(DISCOVER, { mac: MAC_1, kind: CLIENTS.edk2 });
    expect(other?.packet.yiaddr).not.toBe(ack.packet.yiaddr);
    expect((await via.ask(DISCOVER, { mac: MAC_2, kind: CLIENTS.edk2 }))?.packet.yiaddr).toBe(ack.packet.yiaddr);
  });
});
