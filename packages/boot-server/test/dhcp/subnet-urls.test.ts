import { readOptions, readText, OptionCode } from '@ingot/wire';
import { describe, expect, it } from 'vitest';
import type { SimulateRequest, SimulatedStep } from '../../src/admin/client.ts';
import type { BootServerConfig } from '../../src/config.ts';
import { planDhcp } from '../../src/dhcp/plan.ts';
import { subnetUrls } from '../../src/dhcp/subnet-urls.ts';
import { simulateConfig } from '../../src/simulate/dry-run.ts';
import { httpConfig, subnetConfig, testConfig } from '../support/config.ts';
import { lease, relay } from '../support/dhcp-client.ts';
import { CLIENTS, MAC_1, UUID } from '../support/dhcp-messages.ts';
import { startLab } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { tftpFetch } from '../support/tftp-client.ts';

/** Machines of 10.0.2.0/24 reach the server under `advertiseAddress`, the others under 10.0.0.1. */
function configOf(
  dataDir: string,
  http: Partial<BootServerConfig['http']>,
  advertiseAddress = '10.0.2.1',
): BootServerConfig {
  const { dhcp } = testConfig(dataDir);
  const subnets = [subnetConfig('10.0.1'), subnetConfig('10.0.2', { advertiseAddress })];
  return testConfig(dataDir, { dhcp: { ...dhcp, subnets }, http: httpConfig({ url: undefined, ...http }) });
}

describe('the URLs of a network with an own address of the server', () => {
  it.each([
    ['0.0.0.0', [{ address: '0.0.0.0', port: 80 }], 'http://10.0.2.1:80'],
    [
      'that very address',
      [
        { address: '10.0.0.1', port: 80 },
        { address: '10.0.2.1', port: 81 },
      ],
      'http://10.0.2.1:81',
    ],
    ['another address only', [{ address: '10.0.0.1', port: 80 }], undefined],
    ['IPv6 only', [{ address: '::', port: 80 }], undefined],
    ['the interface that has it', [{ address: '0.0.0.0', interface: 'eth2', port: 82 }], 'http://10.0.2.1:82'],
    ['another interface', [{ address: '0.0.0.0', interface: 'eth1', port: 82 }], undefined],
  ])('where HTTP listens at %s', (_where, listen, url) => {
    const isAt = (name: string, address: string): boolean => name === 'eth2' && address === '10.0.2.1';
    const urls = subnetUrls(planDhcp(configOf('/none', {})), listen, isAt);
    expect([...urls]).toEqual(url === undefined ? [] : [['10.0.2.0/24', url]]);
  });

  const profile = { name: 'all', match: {}, vars: {}, message: '', cmdline: '', config: false };
  const ipxe: SimulateRequest = { mac: MAC_1, arch: 0, uuid: UUID, userClass: 'iPXE', phase: 'all' };
  const boot = async (http: Partial<BootServerConfig['http']>, giaddr: string): Promise<string[]> => {
    const sources = { profiles: { inline: [{ ...profile, kernel: '/none/vmlinuz', initrd: [] }] } };
    const config = { ...configOf(temporaryFolder(), http), api: undefined, sources };
    const { steps } = await simulateConfig(config, { ...ipxe, giaddr });
    const said = (step: SimulatedStep): string => step.text + step.options.map(({ value }) => value).join('\n');
    return [
      ...new Set(
        steps
          .map(said)
          .join('\n')
          .match(/http:\/\/[\d.]+:\d+/g),
      ),
    ];
  };

  it('are in its DHCP answers and scripts, and in no other network’s', async () => {
    const everywhere = { listen: '0.0.0.0:8080' };
    expect(await boot(everywhere, '10.0.2.1')).toEqual(['http://10.0.2.1:8080']);
    expect(await boot(everywhere, '10.0.1.1')).toEqual(['http://10.0.0.1:8080']);
  });

  it('are those of all where the operator names them, and where HTTP is not heard there', async () => {
    expect(await boot({ listen: '0.0.0.0:8080', url: 'http://10.0.9.9:80' }, '10.0.2.1')).toEqual([
      'http://10.0.9.9:80',
    ]);
    expect(await boot({ listen: '10.0.0.1:8080' }, '10.0.2.1')).toEqual(['http://10.0.0.1:8080']);
  });

  it('are what a running server says by DHCP, and in what it makes for loaders', async () => {
    const lab = await startLab({ config: (dir) => configOf(dir, {}, '127.0.0.1') });
    const boots = async (giaddr: string): Promise<string> => {
      const { packet } = await lease(await relay(lab, giaddr), { mac: MAC_1, kind: CLIENTS.biosIpxe });
      const file = readText(readOptions(packet), OptionCode.BOOT_FILE_NAME);
      return new URL(file?.ok === true ? file.value : Buffer.from(packet.file).toString()).host;
    };
    expect(await boots('10.0.2.1')).toBe('127.0.0.1:0');
    expect(await boots('10.0.1.1')).toBe('10.0.0.1:0');
    const autoexec = async (address: string): Promise<string> => {
      const name = '52-54-00-00-01-01/autoexec.ipxe';
      const fetched = await tftpFetch(lab, lab.network.host(address, `${address}/24`), name);
      return fetched.ok ? Buffer.from(fetched.bytes).toString() : fetched.message;
    };
    expect(await autoexec('10.0.2.77')).toContain('http://127.0.0.1:0/');
    expect(await autoexec('10.0.1.77')).toContain('http://10.0.0.1:0/');
  });
});
