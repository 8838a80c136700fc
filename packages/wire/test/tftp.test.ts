import { describe, expect, test } from 'vitest';
import {
  cleanFilename,
  decodeTftp,
  encodeTftp,
  encodeTftpData,
  tftpAck,
  tftpData,
  tftpError,
  TftpErrorCode,
  tftpMode,
  tftpOack,
  tftpReadRequest,
  tftpWriteRequest,
  readTftpOptions,
  type TftpPacket,
} from '../src/index.ts';
import { accepted, ascii, bytes, refused } from './helpers.ts';

const GOLDENS: readonly (readonly [string, TftpPacket, Uint8Array])[] = [
  [
    "OVMF's size probe",
    tftpReadRequest('52:54:00:00:01:01/2', [
      { name: 'tsize', value: '0' },
      { name: 'blksize', value: '1468' },
      { name: 'windowsize', value: '4' },
    ]),
    ascii('\0\x0152:54:00:00:01:01/2\0octet\0tsize\x000\0blksize\x001468\0windowsize\x004\0'),
  ],
  ['a write request', tftpWriteRequest('dump', [], 'NetASCII'), ascii('\0\x02dump\0NetASCII\0')],
  ['DATA', tftpData(0xffff, bytes('010203')), bytes('0003 ffff 010203')],
  ['the empty last DATA', tftpData(2, bytes('')), bytes('0003 0002')],
  ['ACK', tftpAck(1), bytes('0004 0001')],
  ['ERROR', tftpError(TftpErrorCode.FILE_NOT_FOUND, 'no such file'), ascii('\0\x05\0\x01no such file\0')],
  ['OACK', tftpOack([{ name: 'blksize', value: '1468' }]), ascii('\0\x06blksize\x001468\0')],
];

describe('both ways', () => {
  test.each(GOLDENS)('%s', (_, packet, wire) => {
    expect(encodeTftp(packet)).toEqual(wire);
    expect(decodeTftp(wire)).toEqual({ ok: true, value: packet });
  });
  test('DATA straight from block and bytes', () =>
    expect(encodeTftpData(7, bytes('aa'))).toEqual(encodeTftp(tftpData(7, bytes('aa')))));
});

describe('oddities of ROMs are borne and kept', () => {
  test.each([
    ['zeros behind the mode', ascii('\0\x01a\0octet\0\0\0\0'), { options: [], trailing: { length: 3 } }],
    [
      'an option without its value',
      ascii('\0\x01a\0octet\0tsize\x000\0blksize\0'),
      { options: { length: 1 }, trailing: { length: 8 } },
    ],
    ['an option without its NUL', ascii('\0\x01a\0octet\0blksize\x00512'), { options: [], trailing: { length: 11 } }],
    [
      'an empty value',
      ascii('\0\x01a\0octet\0x\0\0'),
      { options: [{ name: 'x', value: '' }], trailing: { length: 0 } },
    ],
    ['an ERROR without its NUL', ascii('\0\x05\0\x00User aborted'), { message: 'User aborted', terminated: false }],
    [
      'an ERROR with bytes behind',
      ascii('\0\x05\0\x00a\0b'),
      { message: 'a', terminated: true, trailing: { length: 1 } },
    ],
    ['an ACK with bytes behind', bytes('0004 0001 ffff'), { block: 1, trailing: { length: 2 } }],
    ['an empty OACK', bytes('0006'), { options: [] }],
    ['a name that is no UTF-8', ascii('\0\x01caf\xe9\xff\0octet\0'), { filename: 'caf\xe9\xff' }],
  ])('%s', (_, wire, expected) => {
    const packet = accepted(decodeTftp(wire));
    expect(packet).toMatchObject(expected);
    expect(encodeTftp(packet)).toEqual(wire);
  });
});

describe('a malformed packet is refused with place and reason', () => {
  test.each([
    ['nothing', '', 0, 'opcode needs 2 bytes'],
    ['one byte', '00', 0, 'opcode needs 2 bytes, 1 are left'],
    ['opcode 0', '0000 00', 0, 'opcode 0 is unknown'],
    ['opcode 7', '0007 00', 0, 'opcode 7 is unknown'],
    ['a request without name', '0001', 2, 'the file name has no NUL'],
    ['a request without mode', '0002 61 00', 4, 'the mode has no NUL'],
    ['half a block number', '0003 00', 2, 'block number needs 2'],
    ['an ACK of nothing', '0004', 2, 'block number needs 2'],
    ['an ERROR of nothing', '0005', 2, 'error code needs 2'],
  ])('%s', (_, digits, offset, reason) => refused(decodeTftp(bytes(digits)), offset, reason));
});

describe('options', () => {
  const read = (name: string, value: string) => readTftpOptions([{ name, value }]);
  test('names count in any case, the first of a name counts', () => {
    const options = readTftpOptions([
      { name: 'BLKSIZE', value: '1468' },
      { name: 'blksize', value: '8' },
      { name: 'multicast', value: '' },
    ]);
    expect(options).toEqual({ blksize: { ok: true, value: 1468 } });
  });
  test.each([
    ['blksize', 8, 65464],
    ['timeout', 1, 255],
    ['tsize', 0, Number.MAX_SAFE_INTEGER],
    ['windowsize', 1, 65535],
  ] as const)('%s reaches from %i to %i', (name, min, max) => {
    expect(accepted(read(name, String(min))[name])).toBe(min);
    expect(accepted(read(name, String(max))[name])).toBe(max);
    if (min > 0) refused(read(name, String(min - 1))[name], 0, `not between ${min} and ${max}`);
    refused(read(name, String(max + 1))[name], 0, `not between ${min} and ${max}`);
  });
  test.each(['', '-1', '1e3', '0x10', ' 8', '12345678901234567'])('%j is no number', (value) =>
    refused(read('blksize', value).blksize, 0, 'is no decimal number'),
  );
});

test('modes count in any case, other words are none', () => {
  expect(['OCTET', 'netASCII', 'mail', 'binary'].map((mode) => tftpMode({ mode }))).toEqual([
    'octet',
    'netascii',
    'mail',
    undefined,
  ]);
});

test('a name loses the 0xFF and control bytes that ROMs append, and nothing else', () => {
  expect(cleanFilename('undionly.kpxe\xff')).toBe('undionly.kpxe');
  expect(cleanFilename('a b\xff/c.efi\xff\x00 \n')).toBe('a b\xff/c.efi');
  expect(cleanFilename('caf\xe9')).toBe('caf\xe9');
});
