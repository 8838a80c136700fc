import { expect, it } from 'vitest';
import type { BootServerConfig } from '../../src/config.ts';
import { doubtsOf } from '../../src/config/doubts.ts';
import { subnetConfig, testConfig, tftpConfig } from '../support/config.ts';

const config = (change: Partial<BootServerConfig> = {}): BootServerConfig => {
  const plain = testConfig('/data', change);
  return { ...plain, artifacts: { ...plain.artifacts, roots: ['/srv'] }, ...change };
};
const host = { ownAddresses: new Set(['10.0.0.1']), isFolder: (path: string) => path === '/srv' };

it('a configuration of this host raises no doubt', () => {
  expect(doubtsOf(config(), host)).toEqual([]);
});

it.each<[Partial<BootServerConfig>, string]>([
  [{ advertiseAddress: '10.0.0.77' }, 'advertiseAddress: no interface of this host has 10.0.0.77'],
  [
    { dhcp: { ...config().dhcp, subnets: [subnetConfig('10.0.1', { advertiseAddress: '10.0.0.78' })] } },
    'dhcp.subnets[0].advertiseAddress: no interface of this host has 10.0.0.78',
  ],
  [
    { dhcp: { ...config().dhcp, subnets: [subnetConfig('10.0.1', { routers: ['10.0.1.254', '10.9.1.254'] })] } },
    'dhcp.subnets[0].routers: 10.9.1.254 is not in 10.0.1.0/24',
  ],
  [{ artifacts: { ...config().artifacts, roots: ['/srv', '/nope'] } }, 'artifacts.roots: there is no folder /nope'],
  [{ tftp: tftpConfig({ root: '/nope' }) }, 'tftp.root: there is no folder /nope'],
])('%j', (change, words) => {
  expect(doubtsOf(config(change), host)).toEqual([expect.stringContaining(words)]);
});
