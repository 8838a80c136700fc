import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { chmod, stat, writeFile } from 'node:fs/promises';
import { join } from 'node:path';
import { systemClock } from '@ingot/net';
import { afterAll, beforeAll, beforeEach, describe, expect, it } from 'vitest';
import type { FabricModel } from '../../src/fabric-model.ts';
import { createReload, type Reload } from '../../src/frr/reloader.ts';
import { renderConf, type RenderedConf } from '../../src/frr/render.ts';
import type { RenderSettings } from '../../src/frr/settings.ts';
import { contentOf, eventually, hastyClock, never, rig, run, startFrr, type TestFrr } from './frr-kit.ts';
import { bareModel, plainSettings } from './models.ts';

const withFirewall: FabricModel = {
  ...bareModel,
  firewalls: [{ port: 'Ethernet2', cidrs: ['10.1.0.1/32'], vnis: [7] }],
};

const render = (model: FabricModel, settings: Partial<RenderSettings> = {}): RenderedConf =>
  renderConf(model, { ...plainSettings, ...settings });

describe('applying frr.conf', () => {
  let frr: TestFrr;
  const good = render(bareModel);
  const wanted = render(withFirewall);

  beforeAll(async () => {
    frr = await startFrr(['Ethernet2', 'Ethernet120', 'Ethernet124']);
  });
  afterAll(async () => {
    await frr[Symbol.asyncDispose]();
  });
  beforeEach(async () => {
    const { result } = await rig(frr).apply(good, await frr.running(), never);
    expect(['applied', 'unchanged']).toContain(result);
  });

  /** A reload by a script that gets frr-reload's command line as its arguments, and how often it was called in $count. */
  const scripted = async (lines: readonly string[], timeoutMs = 30_000): Promise<Reload> => {
    const counter = join(frr.folder, 'count');
    await writeFile(counter, '0');
    const path = await frr.script('reload.sh', [
      `count=$(($(cat ${counter}) + 1))`,
      `echo $count > ${counter}`,
      ...lines,
    ]);
    return createReload({ method: { command: [path, ...frr.reloadCommand] }, run, timeoutMs });
  };

  it('tries again when the reload fails once, as frr-reload does, and keeps the owner and the mode of the file', async () => {
    await chmod(frr.confFile, 0o604);
    const before = await stat(frr.confFile);
    const reload = await scripted(['[ $count = 1 ] && exit 1', 'exec "$@"']);
    const { apply, files } = rig(frr, { reload });
    expect(await apply(wanted, await frr.running(), never)).toEqual({
      result: 'applied',
      problems: [],
      crashed: false,
    });
    expect(await files.good()).toBe(wanted.text);
    const after = await stat(frr.confFile);
    expect([after.uid, after.gid, after.mode]).toEqual([before.uid, before.gid, before.mode]);
    await chmod(frr.confFile, 0o640);
  });

  it('tries again when the reload says that all is well and it is not', async () => {
    const reload = await scripted(['[ $count = 1 ] && exit 0', 'exec "$@"']);
    expect((await rig(frr, { reload }).apply(wanted, await frr.running(), never)).result).toBe('applied');
  });

  it('goes back to the last good file when the reload fails for good', async () => {
    const reload = await scripted(['echo "% the reason is this"', 'exit 3']);
    const { apply, files } = rig(frr, { reload });
    const { result, problems } = await apply(wanted, await frr.running(), never);
    expect(result).toBe('rolled-back');
    expect(problems.join('\n')).toMatch(/"route-map fw-Ethernet2-in permit 10": FRR does not take this line/);
    expect(problems.at(-1)).toMatch(/ended with status 3: % the reason is this/);
    expect(await files.current()).toBe(good.text);
    expect(await files.good()).toBe(good.text);
  });

  it('ends a reload that hangs, with all that it has started', async () => {
    const child = join(frr.folder, 'child');
    const reload = await scripted([`sleep 600 & echo $! > ${child}`, 'wait'], 400);
    const { apply, files } = rig(frr, { reload });
    const { result, problems } = await apply(wanted, await frr.running(), never);
    expect(result).toBe('rolled-back');
    expect(problems.at(-1)).toMatch(/was killed, for it took more than 400 ms/);
    expect(await files.current()).toBe(good.text);
    const pid = Number(await contentOf(child));
    await eventually(
      async () => (await contentOf(`/proc/${pid}/stat`))?.split(' ')[2] ?? 'gone',
      (state) => 'gone Z'.includes(state),
    );
  });

  it('leaves a hanging reload at once when it is told to stop', async () => {
    const reload = await scripted(['exec sleep 600']);
    const stopping = new AbortController();
    const applying = rig(frr, { reload }).apply(wanted, await frr.running(), stopping.signal);
    await eventually(
      () => contentOf(frr.confFile),
      (text) => text === wanted.text,
    );
    stopping.abort(new Error('stop'));
    await expect(applying).rejects.toThrow('stop');
  });

  it('names the line that FRR refuses, and has it run the last good file again', async () => {
    // zebra runs without the module that knows this command, which neither the lint nor `vtysh -C` can see.
    const refused = render(withFirewall, { fpm: true });
    const { apply, files } = rig(frr);
    const { result, problems } = await apply(refused, await frr.running(), never);
    expect(result).toBe('rolled-back');
    const line = refused.text.split('\n').indexOf('fpm address 127.0.0.1') + 1;
    expect(problems[0]).toBe(`frr.conf:${line}: "fpm address 127.0.0.1": FRR does not take this line`);
    expect(await files.current()).toBe(good.text);
    // Not at every cycle: each try touches sessions. Another file may be applied at once.
    expect(await apply(refused, await frr.running(), never)).toEqual({ result: 'held', problems, crashed: false });
    expect((await apply(good, await frr.running(), never)).result).toBe('unchanged');
    expect((await apply(wanted, await frr.running(), never)).result).toBe('applied');
  });

  it('refuses what the lint finds, in the words of the file where it can be mended, and touches nothing', async () => {
    const after = {
      path: '/etc/ingot/frr.after.conf',
      text: '! mine\nip prefix-list a seq 5 permit 10.0.0.0/24 le 20',
    };
    const reload = await scripted(['exit 9']);
    const outcome = await rig(frr, { reload }).apply(render(withFirewall, { after }), await frr.running(), never);
    expect(outcome.result).toBe('refused');
    expect(outcome.problems[0]).toMatch(/^\/etc\/ingot\/frr\.after\.conf:2: "ip prefix-list a /);
    expect(await contentOf(frr.confFile)).toBe(good.text);
    expect(await contentOf(join(frr.folder, 'count'))).toBe('0');
  });

  it('refuses what vtysh finds', async () => {
    const after = { path: '/etc/ingot/frr.after.conf', text: 'router bgp mine\n' };
    const outcome = await rig(frr).apply(render(bareModel, { after }), await frr.running(), never);
    expect(outcome).toMatchObject({
      result: 'refused',
      problems: [expect.stringMatching(/frr\.after\.conf:1: "router bgp mine": /)],
    });
  });

  it("does not roll back for a line of the operator's that FRR shows in other words", async () => {
    const after = { path: '/etc/ingot/frr.after.conf', text: 'ip route 192.0.2.0/24 blackhole\nno ip forwarding' };
    const { apply } = rig(frr);
    const first = await apply(render(bareModel, { after }), await frr.running(), never);
    expect(first.result).toBe('applied');
    const aliased = { path: '/etc/ingot/frr.after.conf', text: 'ip route 192.0.2.0 255.255.255.0 Null0' };
    const outcome = await apply(render(bareModel, { after: aliased }), await frr.running(), never);
    expect(outcome.result).toBe('applied');
    expect(outcome.problems[0]).toMatch(/^\/etc\/ingot\/frr\.after\.conf:1: .*write it as "show running-config" would/);
  });

  it('puts back what somebody has changed behind its back', async () => {
    const { apply } = rig(frr);
    await apply(wanted, await frr.running(), never);
    await frr.show('configure', `router bgp ${bareModel.asn}`, 'no neighbor Ethernet2 interface');
    expect((await apply(wanted, await frr.running(), never)).result).toBe('applied');
    await frr.show('configure', `router bgp ${bareModel.asn}`, 'neighbor peer0 interface remote-as external');
    expect((await apply(wanted, await frr.running(), never)).result).toBe('applied');
    expect((await apply(wanted, await frr.running(), never)).result).toBe('unchanged');
  });

  it('notices that bgpd crashes during a reload and comes back', async () => {
    const bgpd = Number(await contentOf(join(frr.folder, 'bgpd.pid')));
    const reload = await scripted([`[ $count = 1 ] && { kill -SEGV ${bgpd}; exit 0; }`, 'exec "$@"']);
    // As watchfrr or supervisord would.
    const restarted = eventually(
      () => contentOf(`/proc/${bgpd}/stat`),
      (line) => line === undefined || line.includes(') Z'),
    ).then(() => frr.startBgpd());
    const outcome = await rig(frr, {
      reload,
      clock: { ...hastyClock, sleep: (_ms, signal) => systemClock.sleep(200, signal) },
    }).apply(wanted, await frr.running(), never);
    await restarted;
    expect(outcome).toMatchObject({
      result: 'applied',
      crashed: true,
      problems: [expect.stringMatching(/bgpd crashed/)],
    });
  });

  it('keeps the last good file in place when bgpd crashes and stays away', async () => {
    const bgpd = Number(await contentOf(join(frr.folder, 'bgpd.pid')));
    const reload = await scripted([`kill -SEGV ${bgpd}`, 'exit 0']);
    const { apply, files } = rig(frr, { reload });
    const outcome = await apply(wanted, await frr.running(), never);
    expect(outcome).toMatchObject({ result: 'broken', crashed: true });
    expect(outcome.problems[0]).toBe('bgpd does not run after the reload');
    expect(await files.current()).toBe(good.text);
    const down = await rig(frr).apply(wanted, await frr.running(), never);
    expect(down).toMatchObject({ result: 'broken', problems: [expect.stringMatching(/bgpd does not run; it finds/)] });
    expect(await files.current()).toBe(wanted.text);
    await frr.startBgpd();
    // The new bgpd has read nothing, while zebra still has the route-maps.
    const back = await rig(frr).apply(good, await frr.running(), never);
    expect(back).toMatchObject({ result: 'applied', problems: [] });
    expect(await frr.show('show running-config bgpd')).toMatch(/^route-map DENY_MGMT deny 10$/m);
  });

  it('goes on where an agent was killed, at every step', { timeout: 180_000 }, async () => {
    // What the agent calls kills it: before the new file is in place, before FRR has it, and before it is known to be good.
    const steps = [
      ['vtysh.sh', 'case "$*" in *-C*) kill -9 $PPID; exit 1;; esac', 'exec vtysh "$@"'],
      ['frr-reload.sh', 'kill -9 $PPID; exit 1', 'exec "$@"'],
      ['frr-reload.sh', '"$@"; kill -9 $PPID; exit 1', ''],
    ] as const;
    for (const [name, ...lines] of steps) {
      await rig(frr).apply(good, await frr.running(), never);
      const script = await frr.script(name, lines);
      const isReload = name === 'frr-reload.sh';
      const agent = spawn(
        process.execPath,
        [
          join(import.meta.dirname, 'apply-main.ts'),
          JSON.stringify({
            confFile: frr.confFile,
            folder: frr.folder,
            vtysh: [isReload ? 'vtysh' : script, '--vty_socket', frr.folder, '--config_dir', frr.folder],
            reload: [...(isReload ? [script] : []), ...frr.reloadCommand],
            model: withFirewall,
            settings: plainSettings,
          }),
        ],
        { stdio: 'ignore' },
      );
      const [, signal] = await once(agent, 'exit');
      expect(signal).toBe('SIGKILL');
      const { apply, files } = rig(frr);
      expect((await apply(wanted, await frr.running(), never)).result).toMatch(/applied|unchanged/);
      expect(await files.good()).toBe(wanted.text);
      expect((await apply(wanted, await frr.running(), never)).result).toBe('unchanged');
    }
  });
});

describe('a reload by a systemd unit', () => {
  it('is started with its start limit reset, and killed when it hangs', async () => {
    await using frr = await startFrr([]);
    const log = join(frr.folder, 'log');
    const systemctl = await frr.script('systemctl', [
      `echo "$@" >> ${log}`,
      '[ "$1" = start ] && exec sleep 600',
      'exit 0',
    ]);
    const reload = createReload({
      method: { unit: 'frr-reload.service' },
      run,
      timeoutMs: 300,
      systemctl: [systemctl],
    });
    expect(await reload(never)).toEqual({
      hung: true,
      reason: expect.stringMatching(/^frr-reload\.service was killed, for it took more than 300 ms/),
    });
    expect(await contentOf(log)).toBe(
      'reset-failed frr-reload.service\nstart frr-reload.service\nkill --signal=SIGKILL frr-reload.service\n',
    );
  });
});
