import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesOfIpv4, MessageType, uint16Option, uint8Option, type DhcpOption } from '@ingot/wire';
import { openDatabase } from '../../src/store/database.ts';
import { httpConfig, subnetConfig, testConfig } from '../support/config.ts';
import { addressOption, lease, localClient, OPTION_82, relay, selecting } from '../support/dhcp-client.ts';
import { CLIENTS, fieldText, ip, MAC_1, MAC_2, message, readReply, UUID } from '../support/dhcp-messages.ts';
import { startLab } from '../support/lab.ts';

const { DISCOVER, OFFER, REQUEST, DECLINE, ACK, NAK, RELEASE, INFORM } = MessageType;
const bios = { mac: MAC_1, kind: CLIENTS.biosIpxe };
const os = { mac: MAC_1, kind: CLIENTS.udhcpc };

describe('a machine without a boot loader for it', () => {
  it('gets an address, is counted each time and warned of once', async () => {
    const lab = await startLab();
    const via = await relay(lab, '10.0.1.1');
    // UEFI on 32-bit x86, for which the test's configuration has no iPXE.
    const ia32 = { mac: MAC_1, kind: { ...CLIENTS.edk2, options: [uint16Option(93, 6)] } };
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const offer = await via.ask(DISCOVER, ia32);
      expect([offer?.packet.yiaddr, fieldText(offer?.packet.file ?? new Uint8Array())]).toEqual(['10.0.1.100', '']);
    }
    expect(await lab.drops('dhcp', 'no-binary')).toBe(3);
    expect(lab.log.events('dhcp.no-loader')).toMatchObject([
      { level: 'warn', fields: { mac: MAC_1, reason: 'no-binary' } },
    ]);
  });
});

describe('what a packet changes', () => {
  it('goes to disk as one: a lease is not extended when the sighting with it cannot be written', async () => {
    const lab = await startLab();
    const via = await relay(lab, '10.0.1.1');
    await lease(via, bios);
    // A sighting that is younger is not written again.
    await lab.clock.advance(20_000);
    const disk = openDatabase(join(lab.dataDir, 'boot-server.sqlite'));
    const lastsUntil = (): unknown => disk.prepare('SELECT expires_at FROM lease').get()?.['expires_at'];
    const before = lastsUntil();
    disk.exec("CREATE TRIGGER full BEFORE INSERT ON sighting_log BEGIN SELECT RAISE(ABORT, 'disk full'); END");
    const wants = [addressOption(50, ip('10.0.1.100'))];
    expect(await via.ask(REQUEST, bios, wants)).toBeUndefined();
    expect([await lab.drops('dhcp', 'internal'), lastsUntil()]).toEqual([1, before]);
    disk.exec('DROP TRIGGER full');
    expect((await via.ask(REQUEST, bios, wants))?.packet.yiaddr).toBe('10.0.1.100');
    expect(lastsUntil()).not.toBe(before);
    disk.close();
  });
});

describe('through a relay', () => {
  it('the giaddr picks the network, and every network has its own addresses', async () => {
    const lab = await startLab();
    const first = await lease(await relay(lab, '10.0.1.1'), bios);
    const second = await lease(await relay(lab, '10.0.2.1'), { ...bios, mac: MAC_2 });
    expect(first.packet.yiaddr).toBe('10.0.1.100');
    expect(second.packet.yiaddr).toBe('10.0.2.100');
    expect(first.options.get(3)).toEqual(bytesOfIpv4(ip('10.0.1.254')));
    expect(first.options.get(1)).toEqual(bytesOfIpv4(ip('255.255.255.0')));
    expect(first.options.get(6)).toEqual(bytesOfIpv4(ip('10.0.0.53')));
    expect(first.options.get(42)).toEqual(bytesOfIpv4(ip('10.0.0.123')));
    expect(first.options.get(51)).toEqual(Uint8Array.of(0, 0, 2, 88));
  });

  it('the answer goes to giaddr port 67, has hops and secs 0, at least 300 bytes, and option 82 byte for byte and last', async () => {
    const lab = await startLab();
    const odd: DhcpOption = { code: 82, data: Uint8Array.of(1, 2, 0, 255, 151, 1, 0, 2, 0) };
    const offer = await (await relay(lab, '10.0.1.1', [odd])).ask(DISCOVER, bios);
    expect(offer?.packet).toMatchObject({
      op: 2,
      hops: 0,
      secs: 0,
      xid: 0x1234,
      giaddr: '10.0.1.1',
      siaddr: '10.0.0.1',
    });
    expect(offer?.bytes.length).toBeGreaterThanOrEqual(300);
    expect(offer?.packet.options.at(-1)).toEqual(odd);
  });

  it('the UUID is echoed as it came', async () => {
    const lab = await startLab();
    const offer = await (await relay(lab, '10.0.1.1')).ask(DISCOVER, bios);
    expect(Buffer.from(offer?.options.get(97) ?? []).toString('hex')).toBe('008e12374b726e8d4a87da8ad4d775582c');
  });

  it('link selection in option 82 overrides the giaddr, which must be a configured relay', async () => {
    const lab = await startLab({
      config: (dir) => testConfig(dir, { dhcp: { ...testConfig(dir).dhcp, relays: ['10.255.0.0/24'] } }),
    });
    const selection: DhcpOption = { code: 82, data: Uint8Array.of(5, 4, 10, 0, 2, 0) };
    const offer = await (await relay(lab, '10.255.0.7', [selection])).ask(DISCOVER, bios);
    expect(offer?.packet.yiaddr).toBe('10.0.2.100');
    expect(await (await relay(lab, '10.254.0.7', [selection])).ask(DISCOVER, bios)).toBeUndefined();
    expect(await lab.drops('dhcp', 'unknown-relay')).toBe(1);
  });

  it('an option 82 that cannot be read goes back as it came, with an address of giaddr’s network, and is named', async () => {
    const lab = await startLab({
      config: (dir) => testConfig(dir, { dhcp: { ...testConfig(dir).dhcp, relays: ['10.255.0.0/24'] } }),
    });
    // A circuit id that claims more bytes than there are; a link selection of three bytes.
    const own = await relay(lab, '10.0.1.1', []);
    const loopback = await relay(lab, '10.255.0.1', []);
    for (const data of [Uint8Array.of(1, 200, 7), Uint8Array.of(5, 3, 10, 0, 2)]) {
      const offer = await own.ask(DISCOVER, bios, [{ code: 82, data }]);
      expect([offer?.packet.yiaddr, offer?.options.get(82)]).toEqual(['10.0.1.100', data]);
      expect(await loopback.ask(DISCOVER, bios, [{ code: 82, data }])).toBeUndefined();
    }
    expect(lab.log.events('dhcp.agent-unread').map(({ level, msg }) => `${level} ${msg}`)).toEqual([
      expect.stringMatching(/^warn option 82 of relay 10\.0\.1\.1 cannot be read.*sub-option 1 claims 200 bytes/),
      expect.stringMatching(/^warn option 82 of relay 10\.0\.1\.1 cannot be read.*sub-option 5/),
    ]);
    expect(lab.log.events('dhcp.dropped')[0]?.msg).toMatch(/giaddr 10\.255\.0\.1.*option 82 cannot be read: /);
  });

  it('a server id that the relay asks for stands in option 54, and a request with it is meant for us', async () => {
    const lab = await startLab();
    const override: DhcpOption = { code: 82, data: Uint8Array.of(11, 4, 10, 0, 1, 1) };
    const via = await relay(lab, '10.0.1.1', [override]);
    const offer = await via.ask(DISCOVER, bios);
    expect(offer?.options.get(54)).toEqual(bytesOfIpv4(ip('10.0.1.1')));
    const ack = await via.ask(REQUEST, bios, offer === undefined ? [] : selecting(offer));
    expect(ack?.options.get(53)).toEqual(Uint8Array.of(ACK));
  });

  it('a NAK carries the broadcast bit', async () => {
    const lab = await startLab();
    const nak = await (await relay(lab, '10.0.1.1')).ask(REQUEST, bios, [addressOption(50, ip('10.0.9.9'))]);
    expect(nak?.options.get(53)).toEqual(Uint8Array.of(NAK));
    expect(nak?.packet).toMatchObject({ flags: 0x8000, yiaddr: '0.0.0.0' });
  });

  it('a giaddr in no network is not answered', async () => {
    const lab = await startLab();
    expect(await (await relay(lab, '192.168.7.1')).ask(DISCOVER, bios)).toBeUndefined();
    expect(await lab.drops('dhcp', 'unknown-relay')).toBe(1);
  });

  it('padding, lone pads and a 1024-byte buffer behind the end are borne', async () => {
    const lab = await startLab();
    const host = lab.network.host('relay', '10.0.1.1/24');
    const socket = await host.bindUdp({ address: '10.0.1.1', port: 67 });
    let answers = 0;
    socket.onDatagram(() => (answers += 1));
    const data = new Uint8Array(1024);
    data.set(message(DISCOVER, { ...bios, giaddr: ip('10.0.1.1') }));
    await socket.send(data, { address: '10.0.0.1', port: 67 });
    await lab.clock.advance(0);
    expect(answers).toBe(1);
  });
});

describe('on the own link', () => {
  it('a client without an address is answered by broadcast, whatever its broadcast flag', async () => {
    const lab = await startLab();
    const targets: string[] = [];
    lab.network.intercept(({ source, target }) => {
      if (source.address === '10.0.0.1') targets.push(`${target.address}:${target.port}`);
    });
    const client = await localClient(lab, lab.network.host('m1', '10.0.0.77/24'));
    const offer = await client.send(message(DISCOVER, os));
    expect(offer?.packet).toMatchObject({ yiaddr: '10.0.0.100', flags: 0 });
    await client.send(message(DISCOVER, { mac: MAC_2, kind: CLIENTS.edk2 }));
    expect(targets).toEqual(['255.255.255.255:68', '255.255.255.255:68']);
  });

  it('a client that renews is answered at its address', async () => {
    const lab = await startLab();
    const host = lab.network.host('m1', '10.0.0.100/24');
    const socket = await host.bindUdp({ address: '10.0.0.100', port: 68 });
    const heard: Uint8Array[] = [];
    socket.onDatagram(({ data }) => heard.push(data));
    await socket.send(message(REQUEST, { ...os, ciaddr: ip('10.0.0.100') }), { address: '10.0.0.1', port: 67 });
    await lab.clock.advance(0);
    expect(heard).toHaveLength(1);
    expect(lab.log.events('dhcp.ack')[0]?.fields).toMatchObject({ mac: MAC_1, address: '10.0.0.100' });
  });

  it('a renewal from a relayed network comes through the routers without giaddr', async () => {
    const lab = await startLab();
    const host = lab.network.host('m1', '10.0.1.100/24');
    const socket = await host.bindUdp({ address: '10.0.1.100', port: 68 });
    let answers = 0;
    socket.onDatagram(() => (answers += 1));
    await socket.send(message(REQUEST, { ...os, ciaddr: ip('10.0.1.100') }), { address: '10.0.0.1', port: 67 });
    await lab.clock.advance(0);
    expect(answers).toBe(1);
  });

  it('a forged ciaddr outside of the networks brings no answer to its owner', async () => {
    const lab = await startLab();
    const victim = await lab.network.host('victim', '198.51.100.7/24').bindUdp({ address: '198.51.100.7', port: 68 });
    let hits = 0;
    victim.onDatagram(() => (hits += 1));
    const client = await localClient(lab, lab.network.host('m1', '10.0.0.77/24'));
    for (const type of [DISCOVER, REQUEST, INFORM])
      await client.send(message(type, { ...os, ciaddr: ip('198.51.100.7') }));
    expect(hits).toBe(0);
  });

  it('INFORM is answered with the options and without an address', async () => {
    const lab = await startLab();
    const socket = await lab.network.host('m1', '10.0.0.9/24').bindUdp({ address: '10.0.0.9', port: 68 });
    const heard: Uint8Array[] = [];
    socket.onDatagram(({ data }) => heard.push(data));
    await socket.send(message(INFORM, { ...os, ciaddr: ip('10.0.0.9') }), { address: '10.0.0.1', port: 67 });
    await lab.clock.advance(0);
    const reply = readReply(heard[0] ?? new Uint8Array());
    expect(reply.packet.yiaddr).toBe('0.0.0.0');
    expect(reply.options.has(51)).toBe(false);
    expect(reply.options.get(3)).toEqual(bytesOfIpv4(ip('10.0.0.254')));
  });

  it('RELEASE and DECLINE free and bar an address, and are not answered', async () => {
    const lab = await startLab({
      config: (dir) =>
        testConfig(dir, {
          dhcp: { ...testConfig(dir).dhcp, subnets: [subnetConfig('10.0.0', { pool: '10.0.0.100-10.0.0.101' })] },
        }),
    });
    const client = await localClient(lab, lab.network.host('m1', '10.0.0.77/24'));
    const take = async (mac: string): Promise<string | undefined> => {
      const offer = await client.send(message(DISCOVER, { ...os, mac }));
      if (offer === undefined) return undefined;
      await client.send(message(REQUEST, { ...os, mac }, selecting(offer)));
      return offer.packet.yiaddr;
    };
    expect(await take(MAC_1)).toBe('10.0.0.100');
    expect(await take(MAC_2)).toBe('10.0.0.101');
    const server = addressOption(54, ip('10.0.0.1'));
    expect(await client.send(message(RELEASE, { ...os, ciaddr: ip('10.0.0.100') }, [server]))).toBeUndefined();
    expect(
      await client.send(message(DECLINE, { ...os, mac: MAC_2 }, [server, addressOption(50, ip('10.0.0.101'))])),
    ).toBeUndefined();
    expect(await take('52:54:00:00:01:03')).toBe('10.0.0.100');
    expect(await take('52:54:00:00:01:04')).toBeUndefined();
    expect(await lab.drops('dhcp', 'pool-exhausted')).toBe(1);
    expect(lab.log.events('dhcp.released')).toHaveLength(1);
    expect(lab.log.events('dhcp.declined')).toHaveLength(1);
  });

  it('a request for another server’s offer frees ours', async () => {
    const lab = await startLab();
    const client = await localClient(lab, lab.network.host('m1', '10.0.0.77/24'));
    await client.send(message(DISCOVER, os));
    const answer = await client.send(
      message(REQUEST, os, [addressOption(50, ip('10.0.0.200')), addressOption(54, ip('10.0.0.2'))]),
    );
    expect(answer).toBeUndefined();
    expect(lab.log.events('dhcp.withdrawn')).toHaveLength(1);
  });
});

describe('what to boot', () => {
  it('iPXE gets the script URL in siaddr and file, and need not wait for a proxy offer', async () => {
    const lab = await startLab();
    const offer = await (await relay(lab, '10.0.1.1')).ask(DISCOVER, bios);
    expect(offer?.packet.siaddr).toBe('10.0.0.1');
    expect(fieldText(offer?.packet.file ?? new Uint8Array())).toBe(
      `http://10.0.0.1:8080/_/ipxe?arch=0&mac=${MAC_1}&uuid=${UUID}`,
    );
    expect(offer?.options.get(175)).toEqual(Uint8Array.of(176, 1, 1));
  });

  it('EDK2 gets a lease with siaddr and file, and no option 60 that would send it to port 4011', async () => {
    const lab = await startLab();
    const offer = await (await relay(lab, '10.0.1.1')).ask(DISCOVER, { mac: MAC_1, kind: CLIENTS.edk2 });
    expect(fieldText(offer?.packet.file ?? new Uint8Array())).toBe('52-54-00-00-01-01/snponly.efi');
    expect(offer?.options.has(60)).toBe(false);
    expect(offer?.options.has(43)).toBe(false);
  });

  it('UEFI HTTP boot gets a URL and option 60 HTTPClient', async () => {
    const lab = await startLab();
    const offer = await (await relay(lab, '10.0.1.1')).ask(DISCOVER, { mac: MAC_1, kind: CLIENTS.edk2Http });
    expect(fieldText(offer?.packet.file ?? new Uint8Array())).toBe(
      'http://10.0.0.1:8080/boot/52-54-00-00-01-01/snponly.efi',
    );
    expect(Buffer.from(offer?.options.get(60) ?? []).toString()).toBe('HTTPClient');
  });

  it('an operating system gets an address only', async () => {
    const lab = await startLab();
    const offer = await (await relay(lab, '10.0.1.1')).ask(DISCOVER, os);
    expect(offer?.packet).toMatchObject({ yiaddr: '10.0.1.100', siaddr: '0.0.0.0' });
    expect(fieldText(offer?.packet.file ?? new Uint8Array())).toBe('');
  });

  it('a URL too long for the file field goes into option 67', async () => {
    const url = `http://${'boot.'.repeat(20)}example:8080`;
    const lab = await startLab({
      config: (dir) => testConfig(dir, { http: httpConfig({ url }) }),
    });
    const offer = await (await relay(lab, '10.0.1.1')).ask(DISCOVER, bios);
    expect(fieldText(offer?.packet.file ?? new Uint8Array())).toBe('');
    expect(Buffer.from(offer?.options.get(67) ?? []).toString()).toBe(`${url}/_/ipxe?arch=0&mac=${MAC_1}&uuid=${UUID}`);
  });

  it('a machine with a broken UUID still gets an address', async () => {
    const lab = await startLab();
    const kind = { flags: 0, options: [uint8Option(97, 7), uint8Option(93, 0)] };
    const offer = await (await relay(lab, '10.0.1.1')).ask(DISCOVER, { mac: MAC_1, kind });
    expect(offer?.packet.yiaddr).toBe('10.0.1.100');
  });
});

describe('beside another DHCP server', () => {
  const proxy = {
    config: (dir: string): ReturnType<typeof testConfig> =>
      testConfig(dir, {
        dhcp: {
          ...testConfig(dir).dhcp,
          mode: 'proxy',
          subnets: [subnetConfig('10.0.0', { pool: undefined }), subnetConfig('10.0.1', { pool: undefined })],
        },
      }),
  };

  it('a booting client is offered its boot and no address', async () => {
    const lab = await startLab(proxy);
    const via = await relay(lab, '10.0.1.1');
    const offer = await via.ask(DISCOVER, { mac: MAC_1, kind: CLIENTS.biosRom });
    expect(offer?.packet).toMatchObject({ yiaddr: '0.0.0.0', siaddr: '10.0.0.1', flags: 0x8000 });
    expect(offer?.options.get(53)).toEqual(Uint8Array.of(OFFER));
    expect(Buffer.from(offer?.options.get(60) ?? []).toString()).toBe('PXEClient');
    expect(offer?.options.get(43)).toEqual(Uint8Array.of(6, 1, 8, 255));
    expect(fieldText(offer?.packet.file ?? new Uint8Array())).toBe('52-54-00-00-01-01/undionly.kpxe');
    expect(offer?.packet.options.at(-1)).toEqual(OPTION_82);
    expect(offer?.options.has(51)).toBe(false);
  });

  it('the same question has the same answer, byte for byte, of this server and of another of the same name', async () => {
    const offers: unknown[] = [];
    for (const lab of [await startLab(proxy), await startLab(proxy)]) {
      const via = await relay(lab, '10.0.1.1');
      for (const kind of [CLIENTS.biosRom, CLIENTS.biosRom, CLIENTS.biosRom])
        offers.push((await via.ask(DISCOVER, { mac: MAC_1, kind }))?.packet);
    }
    const [first, ...others] = offers;
    expect(first).toBeDefined();
    for (const other of others) expect(other).toEqual(first);
  });

  it('UEFI is sent to port 4011 by the absence of option 43', async () => {
    const lab = await startLab(proxy);
    const offer = await (await relay(lab, '10.0.1.1')).ask(DISCOVER, { mac: MAC_1, kind: CLIENTS.edk2 });
    expect(offer?.options.has(43)).toBe(false);
    expect(fieldText(offer?.packet.sname ?? new Uint8Array())).toBe('10.0.0.1');
  });

  it('a client that does not boot is left alone, and so is every request', async () => {
    const lab = await startLab(proxy);
    const via = await relay(lab, '10.0.1.1');
    expect(await via.ask(DISCOVER, os)).toBeUndefined();
    expect(await via.ask(REQUEST, bios, [addressOption(50, ip('10.0.1.100'))])).toBeUndefined();
    expect(await via.ask(RELEASE, bios)).toBeUndefined();
    expect(await lab.drops('dhcp', 'not-booting')).toBe(1);
    expect(await lab.drops('dhcp', 'unserved-type')).toBe(2);
  });
});
