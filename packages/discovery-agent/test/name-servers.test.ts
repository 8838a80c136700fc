import { mkdirSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { join } from 'node:path';
import { MockClock } from '@ingot/net';
import { afterEach, beforeEach, expect, test } from 'vitest';
import { Board } from '../src/life/board.ts';
import { useNameServers } from '../src/life/name-servers.ts';
import { createReporter } from '../src/life/reporter.ts';
import { openState } from '../src/life/state.ts';

let folder: string;
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'ingot-dns-'));
});
afterEach(() => rmSync(folder, { recursive: true }));

test('the config’s name servers go before those of the leases, and what is no address is said', () => {
  const lines: string[] = [];
  const state = openState(folder, { insideImage: false });
  const reporter = createReporter({
    clock: new MockClock(),
    state,
    board: new Board(() => []),
    uptime: () => 1,
    write: (line) => lines.push(line),
  });
  mkdirSync(join(folder, 'leases'));
  writeFileSync(join(folder, 'leases/eth0.dns'), 'nameserver 10.0.0.53\n');
  writeFileSync(join(folder, 'leases/eth1.dns'), 'nameserver 10.0.0.53\nnameserver 10.9.9.9\n');
  useNameServers(['ns.rack', '10.9.9.9', '2001:db8::53'], { state, reporter });
  expect(readFileSync(join(folder, 'resolv.conf'), 'utf8')).toBe(
    'nameserver 10.9.9.9\nnameserver 2001:db8::53\nnameserver 10.0.0.53\n',
  );
  expect(lines).toEqual(['INGOT 1.00 config the name server ns.rack is no IP address: left out']);
});

test('without any in the config the leases’ stay', () => {
  const state = openState(folder, { insideImage: false });
  writeFileSync(join(folder, 'resolv.conf'), 'nameserver 10.0.0.53\n');
  const reporter = createReporter({
    clock: new MockClock(),
    state,
    board: new Board(() => []),
    uptime: () => 1,
    write: () => undefined,
  });
  useNameServers([], { state, reporter });
  expect(readFileSync(join(folder, 'resolv.conf'), 'utf8')).toBe('nameserver 10.0.0.53\n');
});
