import { readFile } from 'node:fs/promises';
import { join } from 'node:path';
import { describe, expect, it } from 'vitest';
import { ExitCode } from '../src/index.ts';

const FOLDER = join(import.meta.dirname, '../../../systemd');
const PARTS = ['boot-server', 'api-server', 'switch-agent', 'switch-relay'];
/** What a part may do beyond any user. */
const CAPABILITIES: Readonly<Record<string, string>> = {
  'boot-server': 'CAP_NET_BIND_SERVICE',
  'switch-relay': 'CAP_NET_BIND_SERVICE CAP_NET_RAW',
};

/** The settings of a unit's [Service] section; a setting that stands twice has two values. */
async function serviceOf(part: string): Promise<Map<string, string[]>> {
  const text = await readFile(join(FOLDER, `ingot-${part}.service`), 'utf8');
  const [, section = ''] = /^\[Service\]\n([^]*?)(?=^\[|$(?![^]))/m.exec(text) ?? [];
  const settings = section.split('\n').filter((line) => /^[A-Z]\w*=/.test(line));
  const byName = new Map<string, string[]>();
  for (const setting of settings) {
    const [name = '', ...value] = setting.split('=');
    byName.set(name, [...(byName.get(name) ?? []), value.join('=')]);
  }
  return byName;
}

it('the switch agent is started after what makes ports and runs FRR, and needs none of it', async () => {
  const text = await readFile(join(FOLDER, 'ingot-switch-agent.service'), 'utf8');
  const after = /^After=(.*)$/m.exec(text)?.[1]?.split(' ') ?? [];
  expect(after).toEqual(expect.arrayContaining(['database.service', 'swss.service', 'syncd.service', 'bgp.service']));
  // `config reload` stops sonic.target and all that is bound to it.
  expect(text).not.toMatch(/^(?:BindsTo|Requires|PartOf)=/m);
});

describe.each(PARTS)('the unit of %s', (part) => {
  it('runs its part with its own configuration', async () => {
    const service = await serviceOf(part);
    expect(service.get('ExecStart')).toEqual([`/usr/lib/ingot/bin/ingot ${part} --config /etc/ingot/${part}.yaml`]);
  });

  it('is started again but for the exit codes that a new start cannot mend', async () => {
    const service = await serviceOf(part);
    expect(service.get('Restart')).toEqual(['always']);
    expect(service.get('RestartPreventExitStatus')).toEqual([`${ExitCode.Usage} ${ExitCode.Config}`]);
  });

  it('is told by the daemon itself that it is ready and alive', async () => {
    const service = await serviceOf(part);
    expect(service.get('Type')).toEqual(['notify']);
    expect(service.get('NotifyAccess')).toEqual(['main']);
    expect(service.get('WatchdogSec')).toEqual(['30s']);
  });

  it('gives no more rights than its job needs', async () => {
    const service = await serviceOf(part);
    expect(service.get('CapabilityBoundingSet')).toEqual([CAPABILITIES[part] ?? '']);
    for (const [name, value] of [
      ['DynamicUser', 'yes'],
      ['NoNewPrivileges', 'yes'],
      ['ProtectSystem', 'strict'],
      ['ProtectHome', 'yes'],
      ['UMask', '0077'],
    ] as const) {
      expect([name, service.get(name)]).toEqual([name, [value]]);
    }
  });
});
