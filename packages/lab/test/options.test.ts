import { describe, expect, test } from 'vitest';
import { parseOptions } from '../src/options.ts';

describe('options of ingot lab up', () => {
  test('nothing given boots one BIOS machine and stays up', () => {
    expect(parseOptions([])).toEqual({
      once: false,
      firmware: 'bios',
      machines: 1,
      memory: 1024,
      cpus: 2,
      accel: 'auto',
      name: 'lab',
      help: false,
    });
  });

  test('numbers are read as numbers', () => {
    expect(parseOptions(['--machines', '4', '--memory=2048', '--once'])).toMatchObject({
      machines: 4,
      memory: 2048,
      once: true,
    });
  });

  test.each([
    [['--machines', '0'], /--machines "0": expected 1 to 16/],
    [['--machines', 'many'], /--machines "many": expected a number/],
    [['--firmware', 'openfirmware'], /--firmware "openfirmware"/],
    [['--name', 'Rack 1'], /--name "Rack 1": expected 1 to 8 lower-case letters and digits/],
    [['--firmwere', 'bios'], /--firmwere/],
    [['up'], /up/],
  ])('%j is refused with what is wrong, followed by the options there are', (argv, words) => {
    expect(() => parseOptions(argv)).toThrow(words);
    expect(() => parseOptions(argv)).toThrow('--firmware bios|uefi');
  });
});
