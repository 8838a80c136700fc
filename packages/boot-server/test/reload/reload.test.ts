import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { bytesOfIpv4, Dhcp6MessageType, Dhcp6OptionCode, MessageType } from '@ingot/wire';
import type { BootServerConfig } from '../../src/config.ts';
import { BootServerErrorCode } from '../../src/errors.ts';
import { httpConfig, subnetConfig, testConfig } from '../support/config.ts';
import { lease, relay, selecting } from '../support/dhcp-client.ts';
import { CLIENTS, fieldText, ip, MAC_1, MAC_2, UUID } from '../support/dhcp-messages.ts';
import { startLab, type Lab } from '../support/lab.ts';
import { tftpFetch } from '../support/tftp-client.ts';
import {
  clientId,
  dhcp6Config,
  iaNa,
  localClient6,
  relay6,
  serverId,
  startLab6,
  subnet6Config,
} from '../support/dhcp6-client.ts';

const { DISCOVER, REQUEST } = MessageType;
const bios = { mac: MAC_1, kind: CLIENTS.biosRom };

/** The lab's configuration with other networks. */
function withSubnets(lab: Lab, subnets: BootServerConfig['dhcp']['subnets']): BootServerConfig {
  const config = testConfig(lab.dataDir);
  return { ...config, dhcp: { ...config.dhcp, subnets } };
}

describe('a reload', () => {
  it('says which boot loader has another digest than the new configuration’s', async () => {
    const lab = await startLab();
    const config = testConfig(lab.dataDir);
    await lab.server.reload({ ...config, ipxe: { ...config.ipxe, sha256: { 'snponly.efi': 'a'.repeat(64) } } });
    expect(lab.log.events('ipxe.missing').map(({ fields }) => fields['file'])).toEqual(['snponly.efi']);
    expect((await lab.get('/boot/snponly.efi')).status).toBe(503);
  });

  it('serves other networks with other options from the next packet on, and every lease stays', async () => {
    const lab = await startLab();
    const via = await relay(lab, '10.0.1.1');
    await lease(via, bios);
    const { needsRestart } = await lab.server.reload(
      withSubnets(lab, [
        subnetConfig('10.0.0'),
        subnetConfig('10.0.1', { dnsServers: ['10.0.0.54'] }),
        subnetConfig('10.0.3'),
      ]),
    );
    expect(needsRestart).toEqual([]);
    const again = await lease(via, bios);
    expect(again.packet.yiaddr).toBe('10.0.1.100');
    expect(again.options.get(6)).toEqual(bytesOfIpv4(ip('10.0.0.54')));
    expect((await lease(await relay(lab, '10.0.3.1'), { ...bios, mac: MAC_2 })).packet.yiaddr).toBe('10.0.3.100');
    expect(await (await relay(lab, '10.0.2.1')).ask(DISCOVER, bios)).toBeUndefined();
    expect(await lab.drops('dhcp', 'unknown-relay')).toBe(1);
  });

  it('between an offer and its REQUEST is not noticed', async () => {
    const lab = await startLab();
    const via = await relay(lab, '10.0.1.1');
    const offer = await via.ask(DISCOVER, bios);
    if (offer === undefined) throw new Error('no offer');
    await lab.server.reload(withSubnets(lab, [subnetConfig('10.0.0'), subnetConfig('10.0.1', { leaseSeconds: 900 })]));
    // The next machine is not offered the same.
    const next = await via.ask(DISCOVER, { ...bios, mac: MAC_2 });
    expect([offer.packet.yiaddr, next?.packet.yiaddr]).toEqual(['10.0.1.100', '10.0.1.101']);
    const ack = await via.ask(REQUEST, bios, selecting(offer));
    expect(ack?.packet.yiaddr).toBe(offer.packet.yiaddr);
    expect(ack?.options.get(51)).toEqual(Uint8Array.of(0, 0, 3, 132));
  });

  it('in mid-transfer ends no transfer', async () => {
    const lab = await startLab();
    const ack = await lease(await relay(lab, '10.0.1.1'), bios);
    const machine = lab.network.host('machine', `${ack.packet.yiaddr}/24`);
    const fetching = tftpFetch(lab, machine, fieldText(ack.packet.file));
    await lab.server.reload(withSubnets(lab, [subnetConfig('10.0.0')]));
    const fetched = await fetching;
    expect(fetched.ok && fetched.bytes.length).toBe(74_213);
  });

  it('hands out another loader', async () => {
    const lab = await startLab();
    const via = await relay(lab, '10.0.1.1');
    const config = testConfig(lab.dataDir);
    await lab.server.reload({ ...config, ipxe: { ...config.ipxe, files: { bios: 'ipxe.pxe' } } });
    const ack = await lease(via, bios);
    expect(fieldText(ack.packet.file)).toBe('52-54-00-00-01-01/ipxe.pxe');
    const machine = lab.network.host('machine', `${ack.packet.yiaddr}/24`);
    expect((await tftpFetch(lab, machine, fieldText(ack.packet.file))).ok).toBe(true);
  });

  it('of a wrong configuration is refused, and the old one goes on', async () => {
    const lab = await startLab();
    const twice = withSubnets(lab, [subnetConfig('10.0.1'), subnetConfig('10.0.1')]);
    await expect(lab.server.reload(twice)).rejects.toMatchObject({ code: BootServerErrorCode.ConfigInvalid });
    expect((await lease(await relay(lab, '10.0.2.1'), bios)).packet.yiaddr).toBe('10.0.2.100');
  });

  it('says what counts only after a restart', async () => {
    const lab = await startLab();
    const config = testConfig(lab.dataDir);
    const next = { ...config, dataDir: '/elsewhere', http: { ...config.http, listen: '127.0.0.1:1' } };
    expect(await lab.server.reload(next)).toEqual({ taken: [], needsRestart: ['dataDir', 'http.listen'] });
  });

  it('says so of what memory and sockets were made after, also where there was nothing before', async () => {
    const lab = await startLab();
    const { api: _api, ...config } = testConfig(lab.dataDir);
    const { taken, needsRestart } = await lab.server.reload({
      ...config,
      dhcp: { ...config.dhcp, interfaces: ['eth9'], whenUndecided: 'ignore', conflictDetectionMs: 7 },
      artifacts: { ...config.artifacts, maxBytes: 1 },
      http: { ...config.http, tls: { listen: ':8443', certFile: '/c.pem', keyFile: '/k.pem', scripts: false } },
    });
    expect(taken).toEqual([]);
    expect(needsRestart.toSorted()).toEqual([
      'api',
      'artifacts.maxBytes',
      'dhcp.conflictDetectionMs',
      'dhcp.interfaces',
      'dhcp.whenUndecided',
      'http.tls',
    ]);
  });

  it('names what counts from now on, and what does not', async () => {
    const lab = await startLab();
    const { api, ...config } = testConfig(lab.dataDir);
    const { taken, needsRestart } = await lab.server.reload({
      ...config,
      ...(api && { api: { ...api, url: 'https://10.0.0.2:9443' } }),
      dhcp6: dhcp6Config(),
      http: { ...config.http, maxBytesPerSecondPerClient: 65_536, signing: { urlMinutes: 30 }, engine: 'node' },
    });
    expect(taken).toEqual(['http.signing.urlMinutes', 'http.maxBytesPerSecondPerClient', 'api.url']);
    expect(needsRestart).toEqual(['http.engine', 'dhcp6']);
  });

  it('leads machines to another API', async () => {
    const lab = await startLab({
      config: (dir) => {
        writeFileSync(join(dir, 'ca.pem'), 'CA');
        return testConfig(dir, { http: httpConfig({ url: 'http://boot' }) });
      },
    });
    const config = testConfig(lab.dataDir, { http: httpConfig({ url: 'http://boot' }) });
    const { api } = config;
    await lab.server.reload({ ...config, ...(api && { api: { ...api, url: 'https://10.0.0.2:9443' } }) });
    const via = await relay(lab, '10.0.1.1');
    await via.ask(DISCOVER, { mac: MAC_1, kind: CLIENTS.efiIpxe });
    const script = await (await lab.get(`/_/ipxe?arch=1&mac=${MAC_1}&uuid=${UUID}`)).text();
    const path = /PIXIE_API_URL=http:\/\/boot(\S+)/.exec(script)?.[1] ?? 'no url';
    expect(await (await lab.get(path)).json()).toMatchObject({ metal_apiserver_url: 'https://10.0.0.2:9443' });
  });

  it('serves machines of the v1 API from now on, and refuses what is not whole', async () => {
    const lab = await startLab();
    const config = testConfig(lab.dataDir, { http: httpConfig({ v1Certs: true }) });
    await expect(lab.server.reload(config)).rejects.toThrow('machine.v1 says what to give');
    expect((await lab.get('/certs')).status).toBe(404);
    const file = join(lab.dataDir, 'file');
    const v1 = { grpcAddress: 'metal-api:50051', caFile: file, certFile: file, keyFile: file, withoutNonce: false };
    await lab.server.reload({ ...config, machine: { ...config.machine, v1 } });
    expect((await lab.get('/certs')).status).toBe(403);
  });

  it('serves other IPv6 networks from the next packet on, and every lease stays', async () => {
    const lab = await startLab6();
    const rapid = { code: Dhcp6OptionCode.RAPID_COMMIT, data: new Uint8Array() };
    const solicit = [clientId(), iaNa(1), rapid];
    const via = await relay6(lab, { link: '2001:db8:1::1' });
    const before = await via.ask(Dhcp6MessageType.SOLICIT, solicit);
    const subnets = [
      subnet6Config({ pool: '2001:db8:1::5000-2001:db8:1::5fff' }),
      subnet6Config({ subnet: '2001:db8:7::/64', pool: '2001:db8:7::1000-2001:db8:7::1fff' }),
    ];
    const config = testConfig(lab.dataDir, { dhcp6: dhcp6Config({ subnets, listen: ['2001:db8::2'] }) });
    expect(await lab.server.reload(config)).toEqual({ taken: ['dhcp6.subnets'], needsRestart: ['dhcp6.listen'] });
    const other = await relay6(lab, { link: '2001:db8:7::1', own: '2001:db8::98' });
    const [address] = (await other.ask(Dhcp6MessageType.SOLICIT, [...solicit]))?.addresses ?? [];
    expect(address).toMatch(/^2001:db8:7::1[0-9a-f]{3}$/);
    const renewed = await via.ask(Dhcp6MessageType.RENEW, [
      clientId(),
      ...(before === undefined ? [] : [serverId(before), iaNa(1, ...before.addresses)]),
    ]);
    expect(before?.addresses).toHaveLength(1);
    expect(renewed?.type).toBe(Dhcp6MessageType.REPLY);
  });

  it('to an interface that is not there is refused, and the old networks go on', async () => {
    const lab = await startLab6();
    const subnets = [subnet6Config({ interface: 'nope0' })];
    const config = testConfig(lab.dataDir, { dhcp6: dhcp6Config({ subnets }) });
    await expect(lab.server.reload(config)).rejects.toMatchObject({
      code: BootServerErrorCode.ListenFailed,
      message: expect.stringMatching(/no interface nope0/),
    });
    const client = await localClient6(lab);
    expect(await client.ask(Dhcp6MessageType.SOLICIT, [clientId(), iaNa(1)])).toBeDefined();
    expect((await lease(await relay(lab, '10.0.1.1'), bios)).packet.yiaddr).toBe('10.0.1.100');
  });

  it('that makes a network another server’s listens beside that one', async () => {
    const lab = await startLab();
    const config = testConfig(lab.dataDir);
    const subnets = [subnetConfig('10.0.0', { pool: undefined, mode: 'proxy' }), subnetConfig('10.0.1')];
    await lab.server.reload({ ...config, dhcp: { ...config.dhcp, subnets } });
    expect((await lease(await relay(lab, '10.0.1.1'), bios)).packet.yiaddr).toBe('10.0.1.100');
    await expect(lab.serverHost.bindUdp({ address: '10.0.0.1', port: 67, reuseAddress: true })).resolves.toBeDefined();
  });
});
