import { describe, expect, it } from 'vitest';
import type { CommandResult } from '../../src/frr/command.ts';
import { createVtysh, type Vtysh } from '../../src/frr/vtysh.ts';

const { signal } = new AbortController();

function answering(result: Partial<CommandResult>): { readonly vtysh: Vtysh; readonly calls: string[][] } {
  const calls: string[][] = [];
  const vtysh = createVtysh({
    argv: ['docker', 'exec', 'bgp', 'vtysh'],
    run: (argv) => {
      calls.push([...argv]);
      return Promise.resolve({ stdout: '', output: result.stdout ?? '', timedOut: false, ...result });
    },
    timeoutMs: 1000,
  });
  return { vtysh, calls };
}

const conf = (text: string): string => `Building configuration...\n\nCurrent configuration:\n!\n${text}\nend\n`;

describe('vtysh', () => {
  it('tells which daemons run, with their modules and process ids', async () => {
    const modules = [
      'Module information for zebra:',
      'Module Name  Version                   Description',
      '',
      'libfrr       8.4.4                     libfrr core module',
      'dplane_fpm_nl 0.0.1                     Data plane plugin for FPM using netlink.',
      '\tfrom: /usr/lib/frr/modules/dplane_fpm_nl.so',
      'pid: 17',
      '',
      'Module information for bgpd:',
      'Module Name  Version                   Description',
      '',
      'bgpd         8.4.4                     bgpd daemon',
      '',
    ].join('\n');
    const { vtysh, calls } = answering({ stdout: `${modules}${conf('router bgp 1')}${conf('router bgp 2')}` });
    const running = await vtysh.running(signal);
    expect(running).toMatchObject({
      ok: true,
      conf: expect.stringContaining('router bgp 1'),
      bgpdConf: expect.stringContaining('router bgp 2'),
    });
    const daemons = running.ok ? running.daemons : undefined;
    expect(daemons?.get('zebra')).toEqual({ pid: 17, modules: new Set(['libfrr', 'dplane_fpm_nl']) });
    expect(daemons?.get('bgpd')).toEqual({ modules: new Set(['bgpd']) });
    expect(calls).toEqual([
      [
        'docker',
        'exec',
        'bgp',
        'vtysh',
        '-c',
        'show modules',
        '-c',
        'show running-config',
        '-c',
        'show running-config bgpd',
      ],
    ]);
  });

  it('takes what it can get when bgpd does not run', async () => {
    const { vtysh } = answering({
      stdout: `Module information for zebra:\n${conf('!')}`,
      failure: 'ended with status 1',
    });
    const running = await vtysh.running(signal);
    expect(running).toMatchObject({ ok: true, bgpdConf: '' });
    expect(running.ok && running.daemons.has('bgpd')).toBe(false);
  });

  it.each([
    [
      { failure: 'ended with status 1', output: 'Error response from daemon: container 7 is not running\n' },
      /container 7 is not running$/,
      false,
    ],
    [{ failure: 'is not installed' }, /^docker exec bgp vtysh is not installed$/, false],
    [
      { failure: 'was killed, for it took more than 1000 ms', timedOut: true, stdout: conf('!') },
      /took more than/,
      true,
    ],
    [{ stdout: 'Exiting: failed to connect to any daemons.\n' }, /no running configuration: Exiting/, false],
  ])('says why there is no answer: %j', async (result, reason, hung) => {
    expect(await answering(result).vtysh.running(signal)).toEqual({
      ok: false,
      reason: expect.stringMatching(reason),
      hung,
    });
  });

  it('tells lines that are wrong from a check that did not happen', async () => {
    const wrong = answering({ failure: 'ended with status 2', output: 'line 4: % Unknown command[4]: nonsense\n' });
    expect(await wrong.vtysh.check('/etc/frr/frr.conf.ingot-new', signal)).toEqual({
      ok: true,
      problems: [{ line: 4, reason: 'Unknown command' }],
    });
    expect(wrong.calls).toEqual([['docker', 'exec', 'bgp', 'vtysh', '-C', '-f', '/etc/frr/frr.conf.ingot-new']]);
    const missing = answering({ failure: 'ended with status 1', output: "Can't open configuration file\n" });
    expect(await missing.vtysh.check('/etc/frr/x', signal)).toMatchObject({ ok: false, hung: false });
  });
});
