import { describe, expect, it } from 'vitest';
import { MessageType } from '@ingot/wire';
import type { BootServerConfig } from '../src/config.ts';
import { BootServerErrorCode } from '../src/errors.ts';
import { lease, relay, selecting, tftpFetch } from './client.ts';
import { CLIENTS, fieldText, ip, MAC_1, MAC_2, startLab, subnetConfig, testConfig, type Lab } from './harness.ts';
import { bytesOfIpv4 } from '@ingot/wire';

const { DISCOVER, REQUEST } = MessageType;
const bios = { mac: MAC_1, kind: CLIENTS.biosRom };

/** The lab's configuration with other networks. */
function withSubnets(lab: Lab, subnets: BootServerConfig['dhcp']['subnets']): BootServerConfig {
  const config = testConfig(lab.dataDir);
  return { ...config, dhcp: { ...config.dhcp, subnets } };
}

describe('a reload', () => {
  it('serves other networks with other options from the next packet on, and every lease stays', async () => {
    const lab = await startLab();
    const via = await relay(lab, '10.0.1.1');
    await lease(via, bios);
    const needsRestart = await lab.server.reload(
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
    expect(await lab.server.reload(next)).toEqual(['dataDir', 'http.listen']);
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
