import { readFile } from 'node:fs/promises';
import { loadConfig } from '@ingot/daemon';
import { expect, test } from 'vitest';
import { switchAgentConfig } from '../src/config.ts';

const PREFIX = 'INGOT_SWITCH_AGENT_';

/** What a metal-core installation has: by our name in the file, as the environment has it, and as it is read. */
const SETTINGS: Readonly<Record<string, readonly [text: string, value: unknown]>> = {
  partition: ['fra-equ01', 'fra-equ01'],
  rack: ['fra-equ01-rack01', 'fra-equ01-rack01'],
  room: ['room-1', 'room-1'],
  'api.url': ['https://metal.example:8080', 'https://metal.example:8080'],
  'api.tokenFile': ['/var/run/metal-core/metal-apiserver-token', '/var/run/metal-core/metal-apiserver-token'],
  asn: ['4200000011', 4_200_000_011],
  loopback: ['10.0.0.11', '10.0.0.11'],
  setSourceLoopback: ['true', true],
  uplinks: ['Ethernet120,Ethernet124', ['Ethernet120', 'Ethernet124']],
  managementGateway: ['10.1.253.1', '10.1.253.1'],
  additionalManagementRoutes: ['10.2.0.0/16,10.3.0.0/16', ['10.2.0.0/16', '10.3.0.0/16']],
  reconfigure: ['true', true],
  reconfigureSeconds: ['10', 10],
  cycleTimeoutSeconds: ['300', 300],
  pxeVlanId: ['4000', 4000],
  additionalBridgePorts: ['Ethernet1', ['Ethernet1']],
  namingSchema: ['swap', 'swap'],
  metrics: ['127.0.0.1:2112', '127.0.0.1:2112'],
  logLevel: ['debug', 'debug'],
};

/** The rows of the table: our names in the file, and those in the environment. */
async function mapped(): Promise<ReadonlyArray<readonly [setting: string, variable: string]>> {
  const text = await readFile(new URL('../../../docs/switch.md', import.meta.url), 'utf8');
  const section = text.slice(text.indexOf('### In place of metal-core'), text.indexOf('The defaults of `LOOPBACK_IP`'));
  const spans = (cell = ''): readonly string[] => [...cell.matchAll(/`([^`]+)`/g)].map(([, span = '']) => span);
  return section
    .split('\n')
    .filter((line) => line.startsWith('| `') && !line.includes('`METAL_CORE_…`'))
    .flatMap((line) => {
      const [, , settings, variables] = line.split('|');
      const names = spans(settings).filter((name) => !name.includes(':'));
      return names.map((name, at) => [name, spans(variables)[at] ?? ''] as const);
    });
}

test("each setting of metal-core's has the documented name here", async () => {
  const rows = await mapped();
  expect(rows.map(([setting]) => setting).toSorted()).toEqual(Object.keys(SETTINGS).toSorted());
  const env = Object.fromEntries(rows.map(([setting, name]) => [`${PREFIX}${name}`, SETTINGS[setting]?.[0]]));
  const loaded = await loadConfig(switchAgentConfig, {
    argv: [],
    env: { ...env, [`${PREFIX}API_CA_FILE`]: '/etc/ingot/ca.pem' },
  });
  if (loaded.kind !== 'config') throw new Error(loaded.kind === 'error' ? loaded.error.message : loaded.kind);
  expect(loaded.warnings).toEqual([]);
  for (const [setting, [, value]] of Object.entries(SETTINGS)) {
    const read = setting.split('.').reduce<unknown>((part, key) => Object(part)[key], loaded.config);
    expect([setting, read]).toEqual([setting, value]);
  }
});
