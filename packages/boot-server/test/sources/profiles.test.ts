import { writeFileSync } from 'node:fs';
import { join } from 'node:path';
import * as fc from 'fast-check';
import { describe, expect, it } from 'vitest';
import { MemoryLogger } from '@ingot/daemon';
import type { BootSource, BootSubject, SourceAnswer } from '../../src/decide/boot-plan.ts';
import { BootServerErrorCode } from '../../src/errors.ts';
import { globMatches } from '../../src/sources/profile-match.ts';
import { profileSchema } from '../../src/sources/profile-schema.ts';
import { loadProfiles } from '../../src/sources/profile-source.ts';
import { MAC_1, MAC_2, UUID } from '../support/dhcp-messages.ts';
import { bootSubject } from '../support/subject.ts';
import { temporaryFolder } from '../support/temporary-folder.ts';

const subject = (change: Partial<BootSubject> = {}): BootSubject => bootSubject({ subnet: '10.0.1.0/24', ...change });

async function load(files: Readonly<Record<string, string>>): Promise<{
  source: BootSource;
  folder: string;
  log: MemoryLogger;
  ask: (change?: Partial<BootSubject>) => SourceAnswer;
}> {
  const folder = temporaryFolder();
  for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text);
  const log = new MemoryLogger();
  const source = await loadProfiles({ directory: folder, inline: [] }, { log, roots: [folder] });
  const ask = (change: Partial<BootSubject> = {}): SourceAnswer => {
    const answer = source.plan(subject(change), 'cached');
    if (answer instanceof Promise) throw new Error('profiles answer at once');
    return answer;
  };
  return { source, folder, log, ask };
}

/** `hold` profiles: their message tells which one was taken. */
const holds = (profiles: Readonly<Record<string, string>>): string =>
  `profiles:\n${Object.entries(profiles)
    .map(([name, match]) => `  - { name: ${name}, match: ${match}, boot: hold, message: ${name} }\n`)
    .join('')}`;
const taken = (answer: SourceAnswer): string | undefined => (answer?.kind === 'hold' ? answer.message : answer?.kind);

describe('which profile a machine gets', () => {
  it('the most specific, wherever it stands', async () => {
    const { ask } = await load({
      'a.yaml': holds({ anyone: '{}', arm: '{ arch: efiArm64 }', network: '{ subnet: 10.0.1.0/24 }' }),
      'b.yaml': holds({
        port: '{ circuitId: "Ethernet*" }',
        oui: '{ mac: "52:54:00:*" }',
        exactPort: '{ circuitId: Ethernet4 }',
        serial: '{ serial: S1 }',
        machine: `{ uuid: ${UUID} }`,
        nic: `{ mac: "${MAC_2}" }`,
      }),
    });
    const other = { mac: '02:00:00:00:00:01', uuid: undefined, subnet: undefined };
    expect(taken(ask(other))).toBe('anyone');
    expect(taken(ask({ ...other, architectures: [11] }))).toBe('arm');
    expect(taken(ask({ ...other, subnet: '10.0.1.0/24' }))).toBe('network');
    expect(taken(ask({ ...other, circuitId: 'Ethernet8' }))).toBe('port');
    expect(taken(ask({ ...other, circuitId: 'Ethernet8', mac: MAC_1 }))).toBe('oui');
    expect(taken(ask({ ...other, circuitId: 'Ethernet4', mac: MAC_1 }))).toBe('exactPort');
    expect(taken(ask({ ...other, circuitId: 'Ethernet4', serial: 'S1' }))).toBe('serial');
    expect(taken(ask({ serial: 'S1' }))).toBe('machine');
    expect(taken(ask({ mac: MAC_2, serial: 'S1' }))).toBe('nic');
  });

  it('of equals the first, in the order of the files', async () => {
    const { ask } = await load({
      'b.yaml': holds({ later: '{ subnet: 10.0.1.0/24 }' }),
      'a.yaml': holds({ first: '{ subnet: 10.0.1.0/24 }', second: '{ subnet: 10.0.1.0/24 }' }),
    });
    expect(taken(ask())).toBe('first');
  });

  it('every key must fit, and of a list any one', async () => {
    const { ask } = await load({
      'a.yaml': holds({ both: `{ mac: ["${MAC_1}", "${MAC_2}"], arch: [bios, 16] }` }),
    });
    expect(taken(ask({ architectures: [16] }))).toBe('both');
    expect(taken(ask({ architectures: [0], mac: MAC_2 }))).toBe('both');
    expect(ask({ architectures: [7] })).toBeUndefined();
    expect(ask({ architectures: [0], mac: '02:00:00:00:00:01' })).toBeUndefined();
  });

  it('a UUID counts in either byte order, a MAC address in either writing', async () => {
    const { ask } = await load({
      'a.yaml': holds({ uuid: '{ uuid: 8e12374b-726e-8d4a-87da-8ad4d775582c }', nic: '{ mac: 52-54-00-00-01-02 }' }),
    });
    expect(taken(ask())).toBe('uuid');
    expect(taken(ask({ uuid: undefined, mac: MAC_2 }))).toBe('nic');
  });

  it('patterns mean what a regular expression of them means, for any text', () => {
    const letters = fc.array(fc.constantFrom('a', 'b', '*', '?'), { maxLength: 8 }).map((all) => all.join(''));
    fc.assert(
      fc.property(letters, fc.array(fc.constantFrom('a', 'b'), { maxLength: 10 }), (pattern, text) => {
        const regex = new RegExp(`^${pattern.replaceAll('*', '.*').replaceAll('?', '.')}$`);
        expect(globMatches(pattern, text.join(''))).toBe(regex.test(text.join('')));
      }),
    );
  });

  it('a pattern of many stars is no way to keep the server busy', () => {
    const started = process.cpuUsage();
    expect(globMatches(`${'a*'.repeat(60)}b`, 'a'.repeat(255))).toBe(false);
    expect(process.cpuUsage(started).user).toBeLessThan(1_000_000);
  });
});

describe('what a profile says', () => {
  it('a kernel, with variables of machine, file and profile', async () => {
    const { ask, folder } = await load({
      'a.yaml': `
vars: { mirror: "http://mirror/\${mac}", mode: file }
profiles:
  - name: installer
    vars: { mode: own }
    kernel: { uri: /srv/vmlinuz, sha256: ${'a'.repeat(64)} }
    initrd: ["\${mirror}/initrd.gz", /srv/fw.cpio]
    cmdline: >-
      mode=\${mode} mac=\${macDashes}
      uuid=\${uuid} serial=\${serial} port=\${circuitId}
    message: "Installing \${mac}"
    loader: ipxe.efi
`,
    });
    expect(ask({ serial: 'S1', circuitId: 'Ethernet4' })).toEqual({
      kind: 'kernel',
      kernel: 'file:///srv/vmlinuz',
      initRamDisks: [`http://mirror/${MAC_1}/initrd.gz`, 'file:///srv/fw.cpio'],
      cmdline: `mode=own mac=52-54-00-00-01-01 uuid=${UUID} serial=S1 port=Ethernet4`,
      message: `Installing ${MAC_1}`,
      wantsConfig: false,
      sha256: { 'file:///srv/vmlinuz': 'a'.repeat(64) },
      loader: 'ipxe.efi',
      origin: `profiles: ${join(folder, 'a.yaml')}:4:5 "installer"`,
    });
  });

  it('a script keeps iPXE’s own variables where they are written with two dollars', async () => {
    const { ask } = await load({
      'a.yaml': 'profiles:\n  - name: s\n    script: |\n      #!ipxe\n      echo ${mac} $${net0/mac}\n      shell\n',
    });
    expect(ask()).toMatchObject({ kind: 'script', script: `#!ipxe\necho ${MAC_1} \${net0/mac}\nshell\n` });
  });

  it('only a loader leaves the rest to the next source', async () => {
    const { ask } = await load({ 'a.yaml': 'profiles:\n  - { name: sb, loader: shimx64.efi }\n' });
    expect(ask()).toEqual({ kind: 'next', loader: 'shimx64.efi' });
  });

  it('a menu of other profiles, each with its own variables', async () => {
    const { ask } = await load({
      'a.yaml': `
profiles:
  - { name: menu, menu: { title: "Rack of \${mac}", timeoutSeconds: 5, entries: [{ profile: disk, label: Local disk }, { profile: rescue }] } }
  - { name: disk, match: { mac: "02:00:00:00:00:01" }, boot: local }
  - { name: rescue, match: { mac: "02:00:00:00:00:01" }, kernel: /srv/k, cmdline: "a=\${what} \${mac}", vars: { what: "rescue-\${mac}" } }
`,
    });
    expect(ask()).toMatchObject({
      kind: 'menu',
      menu: {
        title: `Rack of ${MAC_1}`,
        defaultEntry: 'disk',
        timeoutSeconds: 5,
        entries: [
          { name: 'disk', label: 'Local disk', plan: { kind: 'local' } },
          { name: 'rescue', label: 'rescue', plan: { kind: 'kernel', cmdline: `a=rescue-${MAC_1} ${MAC_1}` } },
        ],
      },
    });
  });

  it.each([
    ['S1 init=/bin/sh', 'a blank'],
    ['S1\nshell', 'a line break'],
    ['${net0/mac}', 'iPXE’s braces'],
    ['S1"', 'a quote'],
  ])('a serial number %j is refused for %s', async (serial) => {
    const { source } = await load({ 'a.yaml': 'profiles:\n  - { name: k, kernel: /k, cmdline: "s=${serial}" }\n' });
    expect(source.wantsSerial).toBe(true);
    expect(() => source.plan(subject({ serial }), 'cached')).toThrow(/serial.*may only have letters, digits/);
  });
});

describe('files with mistakes', () => {
  it.each<[string, string, RegExp]>([
    ['no YAML', 'profiles: [', /a\.yaml:1:\d+: not YAML/],
    [
      'a wrong key',
      'profiles:\n  - { name: a, boot: local, kernal: /k }\n',
      /a\.yaml:2:\d+: profiles\[0\]\.kernal: unknown key; did you mean "kernel"/,
    ],
    [
      'a wrong value',
      'profiles:\n  - name: a\n    boot: disk\n',
      /a\.yaml:3:11: profiles\[0\]\.boot: write one of local, hold, ignore/,
    ],
    [
      'a wrong MAC address',
      'profiles:\n  - name: a\n    match:\n      mac: 52:54\n    boot: local\n',
      /a\.yaml:4:\d+.*write a hardware address/,
    ],
    [
      'an unknown variable',
      'profiles:\n  - name: a\n    kernel: /k\n    cmdline: "x=${hostnam}"\n',
      /a\.yaml:4:14: profile "a": there is no variable \$\{hostnam\}; known are mac, .*write \$\$\{…\}/,
    ],
    [
      'a variable of a variable',
      'profiles:\n  - name: a\n    kernel: /k\n    vars:\n      a: "${b}"\n      b: c\n',
      /a\.yaml:5:10: .*not to \$\{b\}/,
    ],
    ['nothing to boot', 'profiles:\n  - name: a\n', /a\.yaml:2:5: profile "a": it boots nothing; write kernel, script/],
    [
      'two things to boot',
      'profiles:\n  - name: a\n    kernel: /k\n    boot: local\n',
      /a\.yaml:4:11: .*it has kernel and boot; keep one/,
    ],
    [
      'one name twice',
      'profiles:\n  - { name: a, boot: local }\n  - { name: a, boot: local }\n',
      /a\.yaml:3:\d+: .*the name stands at .*a\.yaml:2:5 too/,
    ],
    [
      'a menu of nobody',
      'profiles:\n  - { name: a, menu: { entries: [{ profile: b }] } }\n',
      /there is no profile b for its menu/,
    ],
    [
      'a menu of itself',
      'profiles:\n  - { name: a, menu: { entries: [{ profile: a }] } }\n',
      /profile a boots nothing by itself/,
    ],
    [
      'a URI of another kind',
      'profiles:\n  - { name: a, kernel: "ftp://x/k" }\n',
      /neither a file:, an http: nor an https: URI/,
    ],
    [
      'a line that ends a command',
      'profiles:\n  - name: a\n    kernel: /k\n    cmdline: quiet || shell\n',
      /a\.yaml:3:13: .*the command line has the word "\|\|"/,
    ],
    ['a script that is none', 'profiles:\n  - { name: a, script: "shell" }\n', /does not begin with a line "#!ipxe"/],
  ])('%s is refused with its place and what to write', async (_what, text, words) => {
    await expect(load({ 'a.yaml': text })).rejects.toMatchObject({
      code: BootServerErrorCode.FileUnusable,
      message: expect.stringMatching(words),
    });
  });

  it('every mistake is named at once', async () => {
    await expect(
      load({ 'a.yaml': 'profiles: [', 'b.yaml': 'profiles:\n  - { name: "a b", boot: local }\n' }),
    ).rejects.toThrow(/a\.yaml.*\n.*b\.yaml/);
  });

  it('a folder that is not there is refused', async () => {
    await expect(
      loadProfiles({ directory: '/none/at/all', inline: [] }, { log: new MemoryLogger(), roots: [] }),
    ).rejects.toThrow(/cannot read \/none\/at\/all.*see sources\.profiles\.directory/);
  });
});

it('files that cannot be served are warned of, each once, unless the machine decides which they are', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'vmlinuz'), 'k');
  const { log } = await load({
    'a.yaml': `
vars: { dir: ${folder} }
profiles:
  - { name: elsewhere, kernel: '\${dir}/vmlinuz', initrd: /nope/initrd }
  - { name: twice, match: { arch: bios }, kernel: /nope/initrd }
  - { name: of-each, match: { arch: efiX64 }, kernel: '/nope/\${mac}', initrd: http://10.0.0.9/initrd }
`,
  });
  const doubts = log.records.filter(({ fields }) => fields['event'] === 'settings.doubtful').map(({ msg }) => msg);
  expect(doubts).toEqual([
    expect.stringMatching(/a\.yaml:4:5: profile "elsewhere": .*vmlinuz is outside of .*artifacts\.roots$/),
    expect.stringMatching(/a\.yaml:4:5: profile "elsewhere": cannot read \/nope\/initrd: /),
  ]);
});

it('files below the roots are not warned of', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'vmlinuz'), 'k');
  const log = new MemoryLogger();
  const inline = [profileSchema.parse({ name: 'inline', kernel: join(folder, 'vmlinuz') })];
  await loadProfiles({ inline }, { log, roots: [folder] });
  expect(log.records.map(({ level }) => level)).toEqual(['info']);
});

it('what is no YAML file is passed over', async () => {
  const { ask } = await load({ 'a.yaml': holds({ one: '{}' }), '.b.yaml.swp': '\0', 'README.md': '# profiles' });
  expect(taken(ask())).toBe('one');
});

it('profiles in the configuration itself go before those in files of the same weight', async () => {
  const folder = temporaryFolder();
  writeFileSync(join(folder, 'a.yaml'), holds({ file: '{}' }));
  const inline = [profileSchema.parse({ name: 'inline', boot: 'local' })];
  const source = await loadProfiles({ directory: folder, inline }, { log: new MemoryLogger(), roots: [] });
  expect(source.plan(subject(), 'cached')).toMatchObject({
    kind: 'local',
    origin: 'profiles: sources.profiles.inline[0] "inline"',
  });
});
