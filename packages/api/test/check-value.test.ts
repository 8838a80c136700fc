import type { DescField } from '@bufbuild/protobuf';
import { describe, expect, test } from 'vitest';
import { apiV2, create, validate } from '../src/index.ts';
import { checkKey, checkValue } from '../src/validate/check-value.ts';
import type { FieldRule } from '../src/validate/rule.ts';
import { codePoints, textFormats } from '../src/validate/text-format.ts';

const now = Date.UTC(2026, 0, 1);
const TEXT: DescField = apiV2.SwitchNicSchema.field.name;
const ENUM: DescField = apiV2.NicStateSchema.field.actual;

/** What is reported of a value. */
function reasons(value: unknown, rule: FieldRule, field = TEXT): string[] {
  const found: string[] = [];
  checkValue(value, field, rule, now, (reason) => found.push(reason));
  return found;
}

describe('a text', () => {
  test.each<[string, string, FieldRule, readonly string[]]>([
    ['of the least length', 'ab', { length: [2, 3] }, []],
    ['of the greatest length', 'abc', { length: [2, 3] }, []],
    ['of characters that are two units each', '😀😀😀', { length: [2, 3] }, []],
    ['that is too short', 'a', { length: [2, 3] }, ['must have 2 to 3 characters, not 1']],
    ['that is too long', 'abcd', { length: [2, 3] }, ['must have 2 to 3 characters, not 4']],
    ['that is too long where none is needed', 'abcd', { length: [0, 3] }, ['must have at most 3 characters, not 4']],
    ['that is empty where it may', '', { length: [2, 3], emptyAllowed: true, format: 'mac' }, []],
    [
      'that is not, where it may be empty',
      'a',
      { length: [2, 3], emptyAllowed: true },
      ['must have 2 to 3 characters, not 1'],
    ],
    ['that is empty where it may not', '', { format: 'uuid' }, ['must be a UUID, not ""']],
    ['with a blank before it', ' a', { trimmed: true }, ['must not have white space at its ends']],
    ['with a line end after it', 'a\n', { trimmed: true }, ['must not have white space at its ends']],
    ['with a blank in it', 'a b', { trimmed: true }, []],
    ['with a blank where that is allowed', ' a', {}, []],
    [
      'of another form, of which 64 characters are shown',
      'x'.repeat(64),
      { format: 'ip' },
      [`must be an IP address, not "${'x'.repeat(64)}"`],
    ],
    [
      'of another form and longer',
      'x'.repeat(65),
      { format: 'ip' },
      [`must be an IP address, not "${'x'.repeat(64)}…"`],
    ],
    ['that would write a line of its own', 'a\nb', { format: 'ip' }, [String.raw`must be an IP address, not "a\nb"`]],
  ])('%s', (_name, text, rule, expected) => {
    expect(reasons(text, rule)).toEqual(expected);
  });
});

describe('a number', () => {
  test.each<[number | bigint, FieldRule, readonly string[]]>([
    [5, { min: 5, max: 5 }, []],
    [4, { min: 5 }, ['must be at least 5, not 4']],
    [6, { max: 5 }, ['must be at most 5, not 6']],
    [6n, { max: 5 }, ['must be at most 5, not 6']],
    [4, { below: 5 }, []],
    [5, { below: 5 }, ['must be less than 5, not 5']],
    [5, {}, []],
  ])('%d by %j', (value, rule, expected) => {
    expect(reasons(value, rule)).toEqual(expected);
  });

  test('of an enum is one that it defines, where that is asked for', () => {
    expect(reasons(99, { defined: true }, ENUM)).toEqual([expect.stringMatching(/^must be a defined \w+, not 99$/)]);
    expect(reasons(1, { defined: true }, ENUM)).toEqual([]);
    expect(reasons(99, { max: 5 }, ENUM)).toEqual([]);
  });
});

describe('a time', () => {
  const seconds = (count: number, nanos = 0) => ({ seconds: BigInt(count), nanos });

  test.each<[string, unknown, FieldRule, readonly string[]]>([
    ['of this moment is past', seconds(now / 1000), { past: true }, []],
    ['of a nanosecond later is not', seconds(now / 1000, 1_000_000), { past: true }, ['must be in the past']],
    ['to come is allowed where nothing is said', seconds(now / 1000 + 60), {}, []],
    ['as short as may be', seconds(5), { min: 5 }, []],
    ['shorter by a part of a second', seconds(4, 500_000_000), { min: 5 }, ['must be at least 5 s, not 4.5 s']],
    ['longer by a part of a second', seconds(5, 500_000_000), { max: 5 }, ['must be at most 5 s, not 5.5 s']],
    ['within a reflected message', { message: seconds(4) }, { min: 5 }, ['must be at least 5 s, not 4 s']],
    ['without nanoseconds', { seconds: 4n }, { min: 5 }, ['must be at least 5 s, not 4 s']],
    ['that is none', { minutes: 4 }, { min: 5 }, []],
    ['that is nothing', null, { min: 5 }, []],
  ])('%s', (_name, value, rule, expected) => {
    expect(reasons(value, rule)).toEqual(expected);
  });
});

test.each<[string, FieldRule, readonly string[]]>([
  ['b1a6f1c2-0f5b-4a51-9d0e-6f2f0a1b2c3d', { keyFormat: 'uuid', keyTrimmed: true }, []],
  ['x', { keyFormat: 'uuid' }, ['must be keyed by a UUID']],
  [' x', { keyTrimmed: true }, ['must not have white space at its ends']],
  [' x', {}, []],
])('the key %j by %j', (key, rule, expected) => {
  const found: string[] = [];
  checkKey(key, rule, (reason) => found.push(reason));
  expect(found).toEqual(expected);
});

test.each([
  ['', 0],
  ['abc', 3],
  ['ä', 1],
  ['😀', 1],
  ['a😀b', 3],
  ['\u{D83D}', 1],
])('%j has %d characters', (text, count) => {
  expect(codePoints(text)).toBe(count);
});

describe('names and addresses at their limits', () => {
  const long = [63, 63, 63, 61].map((count) => 'a'.repeat(count)).join('.');

  test.each([
    ['hostname', long, true],
    ['hostname', `${long}.`, true],
    ['hostname', `${long}a`, false],
    ['hostname', '.', false],
    ['hostname', '1a.2', false],
    ['hostname', '2.1a', true],
    ['ip-prefix', '10.0.0.0/32', true],
    ['ip-prefix', '::/128', true],
    ['ip-prefix', '10.0.0.0/+1', false],
    ['host-and-port', 'bmc:65535', true],
    ['host-and-port', '[10.0.0.1]:623', false],
    ['any-or-login', '😀', false],
    ['any-or-login', 'x'.repeat(128), true],
    ['any-or-login', 'x'.repeat(129), false],
  ] as const)('%s %s: %s', (format, text, isGood) => {
    expect(textFormats[format].test(text)).toBe(isGood);
  });
});

describe('a repeated field', () => {
  const found = (mountOptions: readonly string[]): string[] => {
    const filesystem = create(apiV2.FilesystemSchema, {
      device: '/dev/sda1',
      format: apiV2.Format.EXT4,
      mountOptions: [...mountOptions],
    });
    return validate(apiV2.FilesystemSchema, filesystem, now).map(({ path, reason }) => `${path} ${reason}`);
  };

  test('has as many items as it may, and each once', () => {
    const options = Array.from({ length: 32 }, (_, index) => `o${index}`);
    expect(found(options)).toEqual([]);
    expect(found([...options, 'more'])).toEqual(['mount_options may have at most 32 entries, not 33']);
    expect(found(['a', 'b', 'a'])).toEqual(['mount_options[2] repeats an earlier item']);
    expect(found(['a', ''])).toEqual(['mount_options[1] must have 1 to 128 characters, not 0']);
  });

  test('that needs an item says so', () => {
    const request = create(apiV2.MachineServiceCreateRequestSchema, {});
    expect(validate(apiV2.MachineServiceCreateRequestSchema, request, now)).toContainEqual({
      path: 'networks',
      reason: 'needs at least 1 entries, not 0',
    });
  });
});

test('the keys and the values of a map are checked, each value by its key', () => {
  const labels = create(apiV2.LabelsSchema, { labels: { row: '7', ' rack': '1', empty: '', wide: ' x' } });
  const violations = validate(apiV2.LabelsSchema, labels, now);
  expect(violations.map(({ path, reason }) => `${path} ${reason}`)).toEqual([
    'labels[" rack"] must not have white space at its ends',
    'labels["empty"] must have 1 to 256 characters, not 0',
    'labels["wide"] must not have white space at its ends',
  ]);
});
