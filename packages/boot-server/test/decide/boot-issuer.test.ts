import { describe, expect, test } from 'vitest';
import type { Admission } from '../../src/admission/admission.ts';
import {
  createBootIssuer,
  type BootIssuer,
  type ScriptAnswer,
  type ScriptQuestion,
} from '../../src/decide/boot-issuer.ts';
import {
  fileMark,
  type BootPlan,
  type BootSource,
  type BootSubject,
  type KernelPlan,
} from '../../src/decide/boot-plan.ts';
import { createBootPlanner } from '../../src/decide/boot-planner.ts';
import { serialConsole } from '../../src/decide/serial-console.ts';
import { BootServerError, BootServerErrorCode } from '../../src/errors.ts';
import { MAC_1, UUID } from '../support/dhcp-messages.ts';

const KERNEL: KernelPlan = {
  kind: 'kernel',
  kernel: 'file:///images/vmlinuz',
  initRamDisks: ['file:///images/initrd', 'http://10.0.0.9/extra'],
  cmdline: 'quiet',
  message: '',
  wantsConfig: true,
};

const CONSOLE = serialConsole({ speed: '9600' });

interface Setting {
  readonly plan: BootPlan;
  readonly failure: Error | undefined;
  readonly admission: Admission;
  readonly configs: 'v1' | 'v2' | undefined;
  readonly debugKey: string | undefined;
  readonly wantsSerial: boolean;
  /** What DHCP showed. */
  readonly seen: BootSubject | undefined;
}

/** An issuer whose parts say what a test wants, and what it asked the source for. */
function setup(change: Partial<Setting> = {}): { readonly issuer: BootIssuer; readonly asked: unknown[] } {
  const setting: Setting = {
    plan: KERNEL,
    failure: undefined,
    admission: { ok: true, uuid: UUID },
    configs: 'v2',
    debugKey: undefined,
    wantsSerial: false,
    seen: undefined,
    ...change,
  };
  const asked: unknown[] = [];
  const source: BootSource = {
    name: 'profiles',
    wantsSerial: setting.wantsSerial,
    plan: (subject, freshness) => {
      asked.push({ ...subject, freshness });
      if (setting.failure !== undefined) throw setting.failure;
      return setting.plan;
    },
  };
  const issuer = createBootIssuer({
    gate: { admitScript: () => setting.admission },
    planner: createBootPlanner([source]),
    subjects: { find: () => setting.seen },
    nonces: { issue: (mac, uuid) => `nonce-${mac}-${uuid}` },
    files: { nameOf: ({ uri, sha256 }, { kind }) => `${kind}:${uri}${sha256 === undefined ? '' : `#${sha256}`}` },
    configs: setting.configs,
    console: CONSOLE,
    debugKeys: setting.debugKey === undefined ? undefined : { issue: () => setting.debugKey ?? '' },
  });
  return { issuer, asked };
}

const question: ScriptQuestion = {
  mac: MAC_1,
  source: '10.0.0.100',
  base: 'http://10.0.0.1:8080',
  arch: 'x86_64',
  uuid: UUID,
  saidUuid: true,
  serial: undefined,
  entry: undefined,
};
const answer = (change: Partial<Setting>, asks: Partial<ScriptQuestion> = {}): Promise<ScriptAnswer> =>
  setup(change).issuer.issue({ ...question, ...asks });
const steps = async (change: Partial<Setting>, asks: Partial<ScriptQuestion> = {}) => {
  const found = await answer(change, asks);
  if (found.kind !== 'steps') throw new Error(`no steps: ${JSON.stringify(found)}`);
  return found.steps;
};

describe('a script is refused', () => {
  const refusals: readonly [string, Partial<Setting>, number, string, RegExp][] = [
    [
      'to who was not seen',
      { admission: { ok: false, reason: 'not-seen', message: 'boot it' } },
      404,
      'not-seen',
      /^boot it$/,
    ],
    [
      'to an address of somebody else',
      { admission: { ok: false, reason: 'wrong-source', message: 'another machine' } },
      403,
      'wrong-source',
      /^another machine$/,
    ],
    [
      'while the API is away',
      { failure: new BootServerError(BootServerErrorCode.ApiAway, 'no answer') },
      503,
      'api-away',
      /^no answer$/,
    ],
    [
      'where the API says no',
      { failure: new BootServerError(BootServerErrorCode.ApiRefused, 'unknown machine') },
      404,
      'api-refused',
      /^unknown machine$/,
    ],
    [
      'to a machine that is not ours',
      { plan: { kind: 'ignore', message: 'not listed' } },
      404,
      'not-ours',
      /not listed$/,
    ],
    [
      'where a configuration is wanted and there is no API',
      { configs: undefined, plan: { ...KERNEL, origin: 'profiles: rack.yaml:3' } },
      404,
      'api-refused',
      /^profiles: rack.yaml:3 wants a machine configuration/,
    ],
    [
      'to a machine without UUID that shall have a configuration',
      { admission: { ok: true, uuid: undefined } },
      404,
      'no-uuid',
      /shows no SMBIOS UUID/,
    ],
  ];

  test.each(refusals)('%s', async (_name, change, status, reason, message) => {
    expect(await answer(change)).toEqual({ kind: 'refused', status, reason, message: expect.stringMatching(message) });
  });

  test('for an entry that its menu has not, or where there is no menu', async () => {
    const menu = {
      title: 'Choose',
      defaultEntry: 'disk',
      timeoutSeconds: 5,
      entries: [{ name: 'disk', label: 'Disk', plan: { kind: 'local', message: '' } as const }],
    };
    for (const plan of [{ kind: 'menu', menu } as const, KERNEL])
      expect(await answer({ plan }, { entry: 'other' })).toMatchObject({ status: 404, reason: 'unknown-entry' });
    expect(await steps({ plan: { kind: 'menu', menu } }, { entry: 'disk' })).toMatchObject({ kind: 'local' });
  });

  test('by an error of our own, which is not told as the API’s', async () => {
    await expect(answer({ failure: new TypeError('a mistake') })).rejects.toThrow('a mistake');
  });
});

describe('a boot loader is asked once more', () => {
  const noUuid: Partial<Setting> = {
    admission: { ok: true, uuid: undefined },
    plan: { ...KERNEL, wantsConfig: false },
  };

  test.each<[string, Partial<Setting>, Partial<ScriptQuestion>, ScriptAnswer['kind']]>([
    ['for its UUID', noUuid, { saidUuid: false }, 'ask'],
    ['not when it has said that it has none', noUuid, { saidUuid: true }, 'steps'],
    ['not when DHCP showed it', {}, { saidUuid: false }, 'steps'],
    ['for its serial number where that could change the plan', { wantsSerial: true }, {}, 'ask'],
    ['not when it has said that it has none of those', { wantsSerial: true }, { serial: '' }, 'steps'],
  ])('%s', async (_name, change, asks, kind) => {
    expect((await answer(change, asks)).kind).toBe(kind);
  });

  test('for both at once', async () => {
    expect(await answer({ wantsSerial: true })).toEqual({ kind: 'ask', serial: true });
    expect(await answer(noUuid, { saidUuid: false })).toEqual({ kind: 'ask', serial: false });
  });
});

describe('the steps of a machine', () => {
  const CONFIG = `PIXIE_API_URL=http://10.0.0.1:8080/config/${UUID}?nonce=nonce-${MAC_1}-${UUID}`;
  const BOOTIF = 'BOOTIF=01-52-54-00-00-01-01';

  test.each<[string, Partial<Setting>, string]>([
    ['its configuration', {}, `quiet ${CONFIG} ${BOOTIF}`],
    ['a debug key, where those are given', { debugKey: 'k1' }, `quiet ${CONFIG} ${BOOTIF} INGOT_DEBUG_KEY=k1`],
    [
      'upstream’s v1 configuration, and no debug key',
      { configs: 'v1', debugKey: 'k1' },
      `quiet PIXIE_API_URL=http://10.0.0.1:8080/certs?nonce=nonce-${MAC_1}-${UUID} ${BOOTIF}`,
    ],
    ['nothing beside the own command line', { plan: { ...KERNEL, cmdline: ' a  b ', wantsConfig: false } }, 'a  b'],
    ['no space before the rest of an empty one', { plan: { ...KERNEL, cmdline: ' ' } }, `${CONFIG} ${BOOTIF}`],
    [
      'the URLs of files that it names',
      { plan: { ...KERNEL, cmdline: `ks=${fileMark('file:///ks')}`, wantsConfig: false } },
      `ks=http://10.0.0.1:8080/_/file?name=file:file:///ks&type=file&mac=${MAC_1}`,
    ],
  ])('have in the command line %s', async (_name, change, cmdline) => {
    expect(await steps(change)).toMatchObject({ kind: 'kernel', cmdline });
  });

  test('name the files, each with the digest that it must have', async () => {
    const plan = { ...KERNEL, sha256: { 'file:///images/vmlinuz': 'ab' } };
    expect(await steps({ plan })).toMatchObject({
      kernel: 'kernel:file:///images/vmlinuz#ab',
      initRamDisks: ['initrd:file:///images/initrd', 'initrd:http://10.0.0.9/extra'],
    });
  });

  test.each([
    ['quiet', false, true],
    ['console=ttyS0', false, false],
    ['a console=ttyS0', false, false],
    ['noconsole=1', false, true],
    ['console=ttyS0', true, true],
  ])('of "%s" add the console of the machine, where it is not chosen: %s %s', async (cmdline, wantsConfig, adds) => {
    expect(await steps({ plan: { ...KERNEL, cmdline, wantsConfig } })).toMatchObject({
      console: adds ? CONSOLE : undefined,
    });
  });

  test('say who boots, and the message of the plan', async () => {
    expect(await steps({})).toMatchObject({ message: `Ingot boots machine ${UUID} through ${MAC_1}` });
    const plan = { ...KERNEL, message: 'installer', wantsConfig: false };
    const nameless = await steps({ plan, admission: { ok: true, uuid: undefined } });
    expect(nameless).toMatchObject({ message: `Ingot boots ${MAC_1}\ninstaller` });
  });

  test('have it ask again as itself while it is held, and for each entry of its menu', async () => {
    const own = `/_/ipxe?arch=x86_64&mac=${MAC_1}&uuid=${UUID}&serial=S%201`;
    const hold = await steps({ plan: { kind: 'hold', message: 'wait' } }, { serial: 'S 1' });
    expect(hold).toEqual({ kind: 'hold', message: 'wait', askAgain: own });
    const entries = [
      { name: 'disk', label: 'Disk', plan: { kind: 'local', message: '' } as const },
      { name: 'c', label: 'Wait', plan: { kind: 'hold', message: '' } as const },
    ];
    const menu = { title: 'Choose', defaultEntry: 'c', timeoutSeconds: 5, entries };
    expect(await steps({ plan: { kind: 'menu', menu } }, { serial: 'S 1' })).toEqual({
      kind: 'menu',
      title: 'Choose',
      defaultEntry: 'c',
      timeoutSeconds: 5,
      entries: [
        { name: 'disk', label: 'Disk', askFor: `${own}&entry=disk` },
        { name: 'c', label: 'Wait', askFor: `${own}&entry=c` },
      ],
    });
  });
});

describe('the source is asked', () => {
  const bare = {
    mac: MAC_1,
    uuid: UUID,
    serial: '',
    circuitId: undefined,
    remoteId: undefined,
    architectures: [],
    hostname: undefined,
    subnet: undefined,
  };

  test('afresh for a script, with what DHCP showed and what the boot loader says', async () => {
    const seen = { ...bare, uuid: undefined, circuitId: 'Ethernet4', hostname: 'web', subnet: '10.0.0.0/24' };
    const { issuer, asked } = setup({ seen });
    await issuer.issue({ ...question, serial: 'S1' });
    expect(asked).toEqual([{ ...seen, uuid: UUID, serial: 'S1', freshness: 'fresh' }]);
  });

  test('for its last answer by a file without a name, which is the kernel or the first initrd', async () => {
    const plan = { ...KERNEL, sha256: { 'file:///images/vmlinuz': 'ab' } };
    const { issuer, asked } = setup({ plan });
    const file = { mac: MAC_1, source: '10.0.0.100' };
    expect(await issuer.fileOf({ ...file, kind: 'kernel' })).toEqual({ uri: 'file:///images/vmlinuz', sha256: 'ab' });
    expect(await issuer.fileOf({ ...file, kind: 'initrd' })).toEqual({
      uri: 'file:///images/initrd',
      sha256: undefined,
    });
    expect(asked).toEqual([
      { ...bare, freshness: 'cached' },
      { ...bare, freshness: 'cached' },
    ]);
  });

  test.each<[string, Partial<Setting>]>([
    ['who may not have it', { admission: { ok: false, reason: 'not-seen', message: '' } }],
    ['what boots no kernel', { plan: { kind: 'local', message: '' } }],
    ['a plan without initrd', { plan: { ...KERNEL, initRamDisks: [] } }],
    ['a source that is away', { failure: new BootServerError(BootServerErrorCode.ApiAway, '') }],
  ])('and there is no such file for %s', async (_name, change) => {
    const { issuer } = setup(change);
    expect(await issuer.fileOf({ mac: MAC_1, source: '10.0.0.100', kind: 'initrd' })).toBeUndefined();
  });

  test('and an error of our own is not hidden', async () => {
    const { issuer } = setup({ failure: new TypeError('a mistake') });
    await expect(issuer.fileOf({ mac: MAC_1, source: '10.0.0.100', kind: 'kernel' })).rejects.toThrow('a mistake');
  });
});
