import * as fc from 'fast-check';
import { expect, test } from 'vitest';
import { parseAtaHidden, parseAtaIdentify, parseAtaSanitizeStatus } from '../../src/wipe/ata-identify.ts';
import {
  parseNvmeController,
  parseNvmeNamespace,
  parseNvmeNamespaceList,
  parseNvmeSanitizeLog,
} from '../../src/wipe/nvme-identify.ts';
import { identifyText, notAta, qemuIdentify, sanitizeLog } from './outputs.ts';

test('the disk of QEMU can nothing', () => {
  expect(parseAtaIdentify(qemuIdentify)).toEqual({
    security: {
      supported: false,
      enabled: false,
      locked: false,
      frozen: false,
      enhanced: false,
      eraseSeconds: undefined,
      enhancedSeconds: undefined,
    },
    sanitize: { crypto: false, block: false, overwrite: false },
    trimZeroes: false,
  });
});

test('a SATA disk tells its security, sanitize and trim in words of IDENTIFY DEVICE', () => {
  const text = identifyText({
    59: 0xf000, // SANITIZE, crypto scramble, overwrite, block erase
    69: 0x4020, // DRAT, RZAT
    82: 0x0002,
    89: 0x0010,
    90: 0x8190,
    128: 0x002b, // supported, enabled, frozen, enhanced
    169: 0x0001,
  });
  expect(parseAtaIdentify(text)).toEqual({
    security: {
      supported: true,
      enabled: true,
      locked: false,
      frozen: true,
      enhanced: true,
      eraseSeconds: 32 * 60,
      enhancedSeconds: 0x190 * 120,
    },
    sanitize: { crypto: true, block: true, overwrite: true },
    trimZeroes: true,
  });
});

test('zeroes after a trim need determinism, too', () => {
  expect(parseAtaIdentify(identifyText({ 69: 0x0020, 169: 1 }))?.trimZeroes).toBe(false);
  expect(parseAtaIdentify(identifyText({ 69: 0x4020, 169: 0 }))?.trimZeroes).toBe(false);
});

test('words with a wrong checksum, or too few of them, are not believed', () => {
  const good = identifyText({ 128: 0x0001 });
  expect(parseAtaIdentify(good)?.security.supported).toBe(true);
  expect(parseAtaIdentify(good.replace('0001', '0003'))).toBeUndefined();
  expect(parseAtaIdentify(good.split('\n').slice(0, -2).join('\n'))).toBeUndefined();
  expect(parseAtaIdentify('')).toBeUndefined();
  expect(parseAtaIdentify(notAta.identify)).toBeUndefined();
});

test.each([
  ['    State:    SD0 Sanitize Idle\n    Last Sanitize Operation Completed Without Error\n', 'idle', undefined],
  ['    State:    SD1 Sanitize Frozen\n', 'frozen', undefined],
  ['    State:    SD2 Sanitize operation In Process\n    Progress: 0x8000 (50%)\n', 'in-progress', 0.5],
  ['    State:    SD2 Sanitize operation In Process\n', 'in-progress', undefined],
  ['    State:    SD3 Sanitize Operation Failed\n', 'failed', undefined],
  ['    State:    SD0 Sanitize Idle\n    Last Sanitize Command completed unsuccessfully\n', 'failed', undefined],
])('hdparm --sanitize-status: %j', (text, state, fraction) => {
  expect(parseAtaSanitizeStatus(`/dev/sda:\nIssuing SANITIZE_STATUS command\nSanitize status:\n${text}`)).toEqual({
    state,
    fraction,
  });
});

test.each([
  [' max sectors   = 976771055/976773168, HPA is enabled', 2113],
  [' max sectors   = 976773168/976773168, HPA is disabled', 0],
  [notAta.hidden, 0],
  [' max sectors   = 976773168/1, HPA setting seems invalid', 0],
  [' max sectors   = 976773168, ACCESSIBLE MAX ADDRESS disabled', 0],
  [' READ_NATIVE_MAX_ADDRESS_EXT failed: Input/output error', 0],
])('hdparm -N: %j', (text, hidden) => {
  expect(parseAtaHidden(`\n/dev/sda:\n${text}\n`)).toBe(hidden);
});

test('a controller tells what it can by OACS, FNA and SANICAP', () => {
  expect(parseNvmeController('{"oacs":266,"fna":0,"sanicap":0,"mn":"QEMU NVMe Ctrl"}')).toEqual({
    sanitizeCrypto: false,
    sanitizeBlock: false,
    format: true,
    formatHitsAll: false,
    cryptoFormat: false,
  });
  expect(parseNvmeController('{"oacs":6,"fna":4,"sanicap":1073741827}')).toEqual({
    sanitizeCrypto: true,
    sanitizeBlock: true,
    format: true,
    formatHitsAll: false,
    cryptoFormat: true,
  });
  for (const fna of [1, 2, 3])
    expect(parseNvmeController(`{"oacs":2,"fna":${fna},"sanicap":0}`)?.formatHitsAll).toBe(true);
});

test('a namespace tells its layout, and whether it is write-protected', () => {
  expect(parseNvmeNamespace('{"flbas":0,"dps":0,"dlfeat":1,"nsattr":0}')).toEqual({
    layout: { lbaFormat: 0, protection: 0, protectionFirst: false, metadataInline: false },
    writeProtected: false,
    discardZeroes: true,
  });
  expect(parseNvmeNamespace('{"flbas":115,"dps":11,"dlfeat":10,"nsattr":1}')).toEqual({
    layout: { lbaFormat: 51, protection: 3, protectionFirst: true, metadataInline: true },
    writeProtected: true,
    discardZeroes: false,
  });
});

test('the list of namespaces', () => {
  expect(parseNvmeNamespaceList('{"nsid_list":[{"nsid":1},{"nsid":3}]}')).toEqual([1, 3]);
});

test.each([
  ['(0) Most recent sanitize command completed…', 'idle'],
  ['(1) Most Recent Sanitize Command Completed Successfully.', 'idle'],
  ['(2) Sanitize in Progress.', 'in-progress'],
  ['(3) Most Recent Sanitize Command Failed.', 'failed'],
  ['(4) Most Recent Sanitize Command (No-Deallocate After Sanitize) Completed Successfully.', 'idle'],
])('a sanitize log with status %s is %s', (status, state) => {
  expect(parseNvmeSanitizeLog(sanitizeLog(status, 0x4000))).toEqual({
    state,
    fraction: 0.25,
    seconds: { crypto: 4, block: undefined },
  });
});

const parsers = [
  parseAtaHidden,
  parseAtaIdentify,
  parseAtaSanitizeStatus,
  parseNvmeController,
  parseNvmeNamespace,
  parseNvmeNamespaceList,
  parseNvmeSanitizeLog,
];

test('whatever a program prints is a value or nothing, never an error', () => {
  const samples = [qemuIdentify, identifyText({ 128: 0x2b }), sanitizeLog('(2) Sanitize in Progress.', 1)];
  const mangled = fc
    .tuple(fc.constantFrom(...samples), fc.nat(4000), fc.nat(40), fc.string())
    .map(([text, at, length, insert]) => text.slice(0, at) + insert + text.slice(at + length));
  fc.assert(
    fc.property(fc.oneof(fc.string(), fc.json(), mangled), (text) => {
      for (const parse of parsers) expect(() => parse(text)).not.toThrow();
    }),
    { numRuns: 500 },
  );
});

test('numbers that are none are not taken for capabilities', () => {
  const odd = fc.oneof(fc.string(), fc.double(), fc.constant(null), fc.boolean(), fc.integer({ max: -1 }));
  fc.assert(
    fc.property(odd, (value) => {
      const number = typeof value === 'number' && Number.isInteger(value) && value >= 0;
      const read = parseNvmeController(JSON.stringify({ oacs: 0, fna: 0, sanicap: value }));
      if (!number) expect(read).toBeUndefined();
    }),
  );
});
