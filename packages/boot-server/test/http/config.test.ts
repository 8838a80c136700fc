import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { BootServerError, BootServerErrorCode } from '../../src/errors.ts';
import { subnetConfig, testConfig } from '../support/config.ts';
import { MAC_1, MAC_2, UUID } from '../support/dhcp-messages.ts';
import { FakeApi, startLab, type Lab } from '../support/lab.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';
import { configPath, getFrom, machines, scriptPath } from './machines.ts';

const AWAY = new BootServerError(BootServerErrorCode.ApiAway, 'connection refused');

describe('the configuration of a machine', () => {
  it('is given once for each boot', async () => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const path = configPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    const given = await getFrom(lab, address, path);
    expect(given.status).toBe(200);
    expect(JSON.parse(given.body)).toEqual({
      client: { metal_apiserver_url: 'https://10.0.0.1:9443', metal_hammer_token: `token-of-${UUID}`, ca_cert: 'CA' },
      metal_apiserver_url: 'https://10.0.0.1:9443',
      metal_apiserver_token_for_hammer: `token-of-${UUID}`,
      pixie_api_url: 'http://boot',
      boot_report_url: expect.stringMatching(/^http:\/\/boot\/_\/up\?token=[\w-]+$/),
      ntp_servers: ['10.0.0.123'],
      dns_servers: ['10.0.0.53'],
      partition: 'lab',
      renewal_url: expect.stringMatching(new RegExp(`^http://boot/config/${UUID}\\?renewal=[\\w-]+$`)),
      agent: {
        allocated: 'disk',
        auto_reboot_hours: 0,
        bmc_required: false,
        bmc_user: 'metal',
        bmc_boot_order: 'leave',
        lldp: { timeout_seconds: 40 },
        screen: 'vt',
        ssh_debug: false,
      },
      logging: null,
      debug: false,
    });
    const again = await getFrom(lab, address, path);
    expect(again.status).toBe(403);
    expect(JSON.parse(again.body)).toMatchObject({ code: 'nonce_used' });
    expect(lab.log.events('config.given')).toHaveLength(1);
    expect(lab.log.events('config.refused')[0]?.fields).toMatchObject({ reason: 'nonce-used' });
    expect(JSON.stringify(lab.log.records)).not.toContain('token-of-');
  });

  it.each([
    ['without a nonce', (path: string) => path.replace(/\?.*/, ''), 'nonce_missing'],
    ['with an invented nonce', (path: string) => path.replace(/nonce=.*/, `nonce=${'0'.repeat(32)}`), 'nonce_unknown'],
    [
      'for another machine',
      (path: string) => path.replace(UUID, '11111111-2222-3333-4444-555555555555'),
      'nonce_of_another_machine',
    ],
  ])('is refused %s', async (_what, change, code) => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const path = configPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    const refused = await getFrom(lab, address, change(path));
    expect(refused.status).toBe(403);
    expect(JSON.parse(refused.body)).toMatchObject({ code });
    expect(await lab.drops('http', code.replaceAll('_', '-'))).toBe(1);
    expect(lab.api.calls.filter((call) => call.startsWith('token'))).toEqual([]);
    expect((await getFrom(lab, address, path)).status).toBe(200);
  });

  it('is refused after the nonce’s time, and to an address of another machine', async () => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const path = configPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    expect((await getFrom(lab, '127.0.0.9', path)).status).toBe(403);
    await lab.clock.advance(31 * 60_000);
    expect(JSON.parse((await getFrom(lab, address, path)).body)).toMatchObject({ code: 'nonce_expired' });
  });

  it('is refused with the nonce of an earlier script', async () => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const old = configPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    await getFrom(lab, address, scriptPath(MAC_1));
    expect((await getFrom(lab, address, old)).status).toBe(403);
  });

  it.each([-1, 1])('is given to boots from before and after the clock was put by %d hours', async (hours) => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    await getFrom(lab, address, scriptPath(MAC_1));
    lab.clock.stepWallClock(hours * 3_600_000);
    // As a machine does that starts over.
    await boot(MAC_1);
    const path = configPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    expect((await getFrom(lab, address, path)).status).toBe(200);
    expect((await getFrom(lab, address, path)).status).toBe(403);
  });

  it('can be asked for again when the API was away', async () => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const path = configPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    lab.api.failure = AWAY;
    const away = await getFrom(lab, address, path);
    expect(away.status).toBe(503);
    expect(away.headers['retry-after']).toBe('5');
    lab.api.failure = undefined;
    expect((await getFrom(lab, address, path)).status).toBe(200);
  });

  it('is given to one of two who ask at the same moment', async () => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const path = configPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    const answers = await Promise.all([
      getFrom(lab, address, path),
      getFrom(lab, address, path),
      getFrom(lab, address, path),
    ]);
    expect(answers.filter(({ status }) => status === 200)).toHaveLength(1);
  });

  it('survives a restart of the server between script and configuration', async () => {
    const first = await machines();
    const address = await first.boot(MAC_1);
    const path = configPath((await getFrom(first.lab, address, scriptPath(MAC_1))).body);
    await first.lab.server.stop();
    const second = await startLab({
      dataDir: first.lab.dataDir,
      config: (dir) => testConfig(dir, { dhcp: { ...testConfig(dir).dhcp, subnets: [subnetConfig('127.0.7')] } }),
    });
    expect(second.api).toBeInstanceOf(FakeApi);
    expect((await getFrom(second, address, path)).status).toBe(200);
  });
});

describe('the configuration of the v1 API', () => {
  const v1Machines = (withoutNonce = false) => {
    const folder = temporaryFolder();
    for (const name of ['ca', 'cert', 'key', 'hmac', 'password'])
      writeFileSync(join(folder, name), `${name} text\n`, { mode: 0o600 });
    const at = (name: string): string => join(folder, name);
    return machines({ v1Certs: true }, [], {
      ntpServers: [],
      dnsServers: [],
      debug: true,
      v1: {
        grpcAddress: 'metal-api:50051',
        caFile: at('ca'),
        certFile: at('cert'),
        keyFile: at('key'),
        hmacFile: at('hmac'),
        withoutNonce,
        logging: { endpoint: 'https://loki/push', user: 'me', passwordFile: at('password') },
      },
    });
  };
  const certsPath = (script: string): string => /PIXIE_API_URL=http:\/\/boot(\/certs\S+)/.exec(script)?.[1] ?? 'no url';

  it('is given once for each boot, to its own machine, and its secrets are in no log', async () => {
    const { lab, boot } = await v1Machines();
    const address = await boot(MAC_1);
    const path = certsPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    expect((await getFrom(lab, '127.0.0.9', path)).status).toBe(403);
    const given = await getFrom(lab, address, path);
    expect(JSON.parse(given.body)).toEqual({
      debug: true,
      address: 'metal-api:50051',
      pixie_api_url: 'http://boot/certs',
      ca_cert: 'ca text\n',
      cert: 'cert text\n',
      key: 'key text\n',
      hmac: 'hmac text',
      ntp_servers: ['10.0.0.123'],
      partition: 'lab',
      logging: {
        endpoint: 'https://loki/push',
        basic_auth: { user: 'me', password: 'password text' },
        log_type: 'loki',
      },
    });
    expect(JSON.parse((await getFrom(lab, address, path)).body)).toMatchObject({ code: 'nonce_used' });
    expect((await getFrom(lab, address, '/certs')).status).toBe(403);
    expect(JSON.stringify(lab.log.records)).not.toMatch(/(key|hmac|password) text/);
  });

  it('goes without a nonce where that is configured, to the address of a machine that has just asked for a boot', async () => {
    const { lab, boot } = await v1Machines(true);
    const address = await boot(MAC_1);
    for (let time = 0; time < 2; time += 1) {
      const given = await getFrom(lab, address, '/certs');
      expect(given.status).toBe(200);
      expect(JSON.parse(given.body)).toMatchObject({ key: 'key text\n', partition: 'lab' });
    }
    expect(lab.log.events('config.given')[0]?.fields).toMatchObject({ mac: MAC_1, withoutNonce: true });
    const stranger = await getFrom(lab, '127.0.0.9', '/certs');
    expect([stranger.status, JSON.parse(stranger.body).code]).toEqual([403, 'wrong_source']);
    // A nonce that is there has to be good.
    expect((await getFrom(lab, address, '/certs?nonce=x')).status).toBe(403);
    await lab.clock.advance(31 * 60_000);
    const late = await getFrom(lab, address, '/certs');
    expect([late.status, JSON.parse(late.body).code]).toEqual([403, 'not_seen']);
    expect(JSON.stringify(lab.log.records)).not.toMatch(/(key|hmac|password) text/);
  });

  it('is not there unless it is asked for', async () => {
    const lab = await startLab();
    expect((await lab.get('/certs')).status).toBe(404);
  });
});

describe('an agent that is up', () => {
  const reportOf = (config: string): string =>
    new URL(JSON.parse(config).boot_report_url).href.slice('http://boot'.length);
  const stageOf = (lab: Lab): string | undefined => lab.server.watch.timeline.find(MAC_1)?.state.stage;
  const upTo = async (): Promise<{
    lab: Lab;
    address: string;
    report: string;
    boot: (mac: string) => Promise<string>;
  }> => {
    const { lab, boot } = await machines();
    const address = await boot(MAC_1);
    const path = configPath((await getFrom(lab, address, scriptPath(MAC_1))).body);
    return { lab, address, boot, report: reportOf((await getFrom(lab, address, path)).body) };
  };

  it('says so once, and its machine is in that state', async () => {
    const { lab, address, report } = await upTo();
    expect(stageOf(lab)).toBe('agent');
    expect((await getFrom(lab, address, report)).status).toBe(200);
    expect(stageOf(lab)).toBe('up');
    expect(lab.log.events('agent.up')[0]?.fields).toMatchObject({ mac: MAC_1, uuid: UUID });
    expect(await lab.metrics.text()).toContain('ingot_boot_server_stages_total{stage="agent.up"} 1');
    expect(await lab.metrics.text()).toContain('ingot_boot_server_machines{stage="up"} 1');
    expect(JSON.stringify(lab.log.records)).not.toContain(report.slice(-60));
  });

  it('is not believed twice: the next boot’s state is its own', async () => {
    const { lab, address, report, boot } = await upTo();
    await getFrom(lab, address, report);
    await lab.clock.advance(60_000);
    await boot(MAC_1);
    expect((await getFrom(lab, address, report)).status).toBe(403);
    expect(stageOf(lab)).toBe('ipxe');
    expect(await lab.drops('http', 'report-used')).toBe(1);
  });

  it.each([
    ['invented', (path: string) => path.replace(/token=.*/, 'token=AAAA'), 'report-tampered', 0],
    ['absent', (path: string) => path.replace(/\?.*/, ''), 'report-tampered', 0],
    ['old', (path: string) => path, 'report-expired', 11 * 60_000],
  ])('is refused with a token that is %s', async (_what, change, reason, laterMs) => {
    const { lab, address, report } = await upTo();
    await lab.clock.advance(laterMs);
    expect((await getFrom(lab, address, change(report))).status).toBe(403);
    expect(await lab.drops('http', reason)).toBe(1);
    expect(stageOf(lab)).toBe('agent');
  });

  it('is refused from another machine’s address, and may then still say it', async () => {
    const { lab, address, report, boot } = await upTo();
    expect(await boot(MAC_2)).not.toBe(address);
    expect((await getFrom(lab, '127.0.0.9', report)).status).toBe(403);
    expect(await lab.drops('http', 'wrong-source')).toBe(1);
    expect((await getFrom(lab, address, report)).status).toBe(200);
  });

  it('and a report that opens nothing else: the token is no nonce', async () => {
    const { lab, address, report } = await upTo();
    const token = /token=(.*)/.exec(report)?.[1] ?? '';
    expect((await getFrom(lab, address, `/config/${UUID}?nonce=${token}`)).status).toBe(403);
  });
});
