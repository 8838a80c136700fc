import { expect, test } from 'vitest';
import { createTimeline, phaseOfBootServerLine, readConsoleLine } from '../src/timeline.ts';

test('a phase keeps the time at which it was first reached, until the machine starts again', () => {
  let now = 1000;
  const seen: [string, number][] = [];
  const timeline = createTimeline({ now: () => now, monotonic: () => now }, (phase, atMs) => seen.push([phase, atMs]));
  now = 3500;
  timeline.reach('dhcp');
  now = 9000;
  timeline.reach('dhcp');
  expect(seen).toEqual([['dhcp', 2500]]);
  timeline.restart();
  now = 9700;
  timeline.reach('dhcp');
  expect(timeline.reachedMs.get('dhcp')).toBe(700);
});

test.each([
  ['{"event":"dhcp.offer","mac":"52:54:00:AA:bb:01"}', { mac: '52:54:00:aa:bb:01', phase: 'dhcp' }],
  ['{"event":"tftp.done","mac":"52:54:00:aa:bb:01","file":"snponly.efi"}', { mac: '52:54:00:aa:bb:01', phase: 'tftp' }],
  ['{"event":"http.file","mac":"52:54:00:aa:bb:01","kind":"initrd"}', { mac: '52:54:00:aa:bb:01', phase: 'ipxe' }],
  ['{"event":"http.file","mac":"52:54:00:aa:bb:01","kind":"kernel"}', undefined],
  ['{"event":"dhcp.offer"}', undefined],
  ['{"event":', undefined],
  ['plain words', undefined],
])('the boot server line %s tells %j', (line, expected) => {
  expect(phaseOfBootServerLine(line)).toEqual(expected);
});

test.each([
  ['INGOT 2.31 init kernel 6.1', { phase: 'kernel', crashed: undefined }],
  ['INGOT 9.04 config fetched', { phase: 'agent', crashed: undefined }],
  ['INGOT 12.80 bmc 10.0.0.101:623', { phase: 'inventory', crashed: undefined }],
  ['INGOT 13.00 crashed register: out of memory', { phase: undefined, crashed: 'register: out of memory' }],
  ['INGOT init without a time', undefined],
  ['SeaBIOS (version 1.16.2)', undefined],
])('the console line %j reads as %j', (line, expected) => {
  expect(readConsoleLine(line)).toEqual(expected);
});
