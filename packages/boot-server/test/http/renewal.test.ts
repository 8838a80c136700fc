import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { expect, it } from 'vitest';
import { agentSchema } from '../../src/config/agent.ts';
import { BootServerError, BootServerErrorCode } from '../../src/errors.ts';
import { MAC_1, MAC_2, UUID } from '../support/dhcp-messages.ts';
import type { Lab } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { configPath, getFrom, machines, scriptPath } from './machines.ts';

interface Started {
  readonly lab: Lab;
  readonly boot: (mac: string) => Promise<string>;
  readonly address: string;
  /** Path of the first renewal. */
  readonly renewal: string;
}

const renewalOf = (body: string): string => String(JSON.parse(body).renewal_url).replace('http://boot', '');

async function started(...options: Parameters<typeof machines>): Promise<Started> {
  const { lab, boot } = await machines(...options);
  const address = await boot(MAC_1);
  const given = await getFrom(lab, address, configPath((await getFrom(lab, address, scriptPath(MAC_1))).body));
  return { lab, boot, address, renewal: renewalOf(given.body) };
}

it('gives the configuration again, with a new token and the authority of today', async () => {
  const { lab, address, renewal } = await started();
  writeFileSync(join(lab.dataDir, 'ca.pem'), 'NEW CA');
  await lab.clock.advance(54 * 3_600_000);
  const renewed = await getFrom(lab, address, renewal);
  expect(renewed.status).toBe(200);
  expect(JSON.parse(renewed.body).client).toMatchObject({ metal_hammer_token: `token-of-${UUID}`, ca_cert: 'NEW CA' });
  expect(lab.api.calls.filter((call) => call.startsWith('token'))).toHaveLength(2);
  expect(lab.log.events('config.renewed')[0]?.fields).toMatchObject({ mac: MAC_1, uuid: UUID });
  expect(JSON.stringify(lab.log.records)).not.toContain(/renewal=([\w-]+)/.exec(renewal)?.[1]);
});

it('gives it again when the answer was lost, until its successor was used', async () => {
  const { lab, address, renewal } = await started();
  await getFrom(lab, address, renewal);
  const next = renewalOf((await getFrom(lab, address, renewal)).body);
  expect((await getFrom(lab, address, next)).status).toBe(200);
  const late = await getFrom(lab, address, renewal);
  expect([late.status, JSON.parse(late.body)]).toMatchObject([403, { code: 'renewal_replaced' }]);
  expect((await getFrom(lab, address, next)).status).toBe(200);
});

it('opens nothing any more once its successor was used, as long as it lives, whoever boots meanwhile', async () => {
  const { lab, boot, address, renewal } = await started();
  const next = renewalOf((await getFrom(lab, address, renewal)).body);
  expect((await getFrom(lab, address, next)).status).toBe(200);
  await lab.clock.advance(70 * 3_600_000);
  // What is too old to be remembered is forgotten when something else is noted.
  const other = await boot(MAC_2);
  const { body } = await getFrom(lab, other, scriptPath(MAC_2));
  expect((await getFrom(lab, other, configPath(body))).status).toBe(200);
  expect(JSON.parse((await getFrom(lab, address, renewal)).body)).toMatchObject({ code: 'renewal_replaced' });
});

it('refuses strangers, other machines, what was changed, and who comes too late', async () => {
  const { lab, address, renewal } = await started();
  const code = async (from: string, path: string): Promise<unknown> =>
    JSON.parse((await getFrom(lab, from, path)).body);
  expect(await code('127.0.0.9', renewal)).toMatchObject({ code: 'wrong_source' });
  const other = renewal.replace(UUID, '11111111-2222-3333-4444-555555555555');
  expect(await code(address, other)).toMatchObject({ code: 'renewal_of_another_machine' });
  expect(await code(address, `${renewal.slice(0, -4)}AAAA`)).toMatchObject({ code: 'renewal_tampered' });
  expect(await code(address, `/config/${UUID}?renewal=`)).toMatchObject({ code: 'renewal_tampered' });
  await lab.clock.advance(72 * 3_600_000);
  expect(await code(address, renewal)).toMatchObject({ code: 'renewal_expired' });
  expect(lab.api.calls.filter((call) => call.startsWith('token'))).toHaveLength(1);
});

it('can be asked for again when the API was away', async () => {
  const { lab, address, renewal } = await started();
  lab.api.failure = new BootServerError(BootServerErrorCode.ApiAway, 'connection refused');
  expect(await getFrom(lab, address, renewal)).toMatchObject({ status: 503, headers: { 'retry-after': '5' } });
  lab.api.failure = undefined;
  expect((await getFrom(lab, address, renewal)).status).toBe(200);
});

it('tells the agent the policies that are configured, and Loki with its password', async () => {
  const passwordFile = join(temporaryFolder(), 'password');
  writeFileSync(passwordFile, 'hush\n', { mode: 0o600 });
  const agent = agentSchema.parse({
    allocated: 'hold',
    autoRebootHours: 24,
    lldp: { mtu: 1500, leafNames: '^leaf' },
    loki: { endpoint: 'https://loki/push', user: 'me', passwordFile },
  });
  const { lab, address, renewal } = await started({}, [], undefined, agent);
  expect(JSON.parse((await getFrom(lab, address, renewal)).body)).toMatchObject({
    agent: {
      allocated: 'hold',
      auto_reboot_hours: 24,
      lldp: { timeout_seconds: 40, mtu: 1500, leaf_names: '^leaf' },
    },
    logging: { endpoint: 'https://loki/push', basic_auth: { user: 'me', password: 'hush' }, log_type: 'loki' },
  });
  expect(() => agentSchema.parse({ lldp: { leafNames: '(' } })).toThrow('write a regular expression');
});
