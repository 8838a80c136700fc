/** The layer that changes with the agent: its bundle, its code cache, and what starts it. */
import { execFileSync } from 'node:child_process';
import { copyFileSync, mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs';
import { tmpdir } from 'node:os';
import { dirname, join } from 'node:path';
import { hostArchitecture } from './architecture.ts';
import type { Architecture } from './architecture.ts';
import { bundle } from './bundle.ts';
import type { BundledPackage } from './bundle.ts';
import type { CpioEntry } from './cpio.ts';
import { layer } from './layer.ts';
import type { Component, Layer } from './layer.ts';
import { nodeBinary } from './node-binary.ts';

const here = import.meta.dirname;

export interface AgentLayer extends Layer {
  /** npm packages of which something is in the bundle. */
  readonly packages: readonly BundledPackage[];
}

/** @param cache holds the Node of another architecture than the host's */
export async function buildAgent(cache: string, architecture: Architecture): Promise<AgentLayer> {
  const file = (path: string, source: string, mode: number): CpioEntry => ({
    kind: 'file',
    path,
    mode,
    data: readFileSync(join(here, source)),
  });
  const { code, packages } = await bundle(join(dirname(here), 'packages/discovery-agent/src/main.ts'));
  const agent: Component = {
    name: 'agent bundle',
    entries: [
      { kind: 'file', path: 'agent.cjs', data: code },
      // Only the processor that will run it can make it: elsewhere the agent compiles what it needs, and starts later.
      ...(architecture === hostArchitecture
        ? [{ kind: 'file', path: 'agent.cache', data: codeCache(code, nodeBinary(cache, architecture)) } as const]
        : []),
      file('agent.mjs', 'agent.mjs', 0o644),
    ],
  };
  const init: Component = {
    name: 'init scripts',
    entries: [
      file('init', 'init', 0o755),
      file('etc/debug-shell.sh', 'debug-shell.sh', 0o755),
      file('etc/dhcpcd.conf', 'dhcpcd.conf', 0o644),
      file('etc/dhcpcd.sh', 'dhcpcd.sh', 0o755),
      file('etc/fw-lldp.sh', 'fw-lldp.sh', 0o755),
      file('etc/lease.sh', 'lease.sh', 0o755),
      file('etc/modprobe.conf', 'modprobe.conf', 0o644),
      file('etc/network.sh', 'network.sh', 0o644),
      file('etc/udhcpc.sh', 'udhcpc.sh', 0o755),
    ],
  };
  return { ...layer([agent, init], 19), packages };
}

/** Where the cache says under which V8 flags it was made: fourth word of V8's SerializedCodeData header. */
const flagHash = { start: 12, end: 16 } as const;

/**
 * V8's bytecode of what runs while the bundle loads, made by the very binary that will run it, so that the agent starts
 * with little compiling. A cache that V8 refuses costs time only, never correctness.
 *
 * Node seeds its string hashes at random, and the order of tables in the cache follows them. With fixed seeds, and
 * without threads that decide when code is compiled or dropped, the cache is the same every time, but marked as made under other flags; the mark is taken from a cache made without. V8 hashes
 * the strings anew when it loads a cache, as it must in any case.
 */
function codeCache(code: Buffer, node: string): Buffer {
  const directory = mkdtempSync(join(tmpdir(), 'ingot-code-cache-'));
  try {
    writeFileSync(join(directory, 'agent.cjs'), code);
    copyFileSync(join(here, 'agent.mjs'), join(directory, 'agent.mjs'));
    const make = (...flags: string[]): Buffer => {
      const output = join(directory, 'cache');
      const args = [...flags, join(directory, 'agent.mjs'), '--write-cache', output];
      execFileSync(node, args, { env: {}, stdio: 'pipe' });
      return readFileSync(output);
    };
    const cache = make('--hash-seed=1', '--random-seed=1', '--single-threaded', '--predictable', '--no-flush-bytecode');
    make().copy(cache, flagHash.start, flagHash.start, flagHash.end);
    return cache;
  } finally {
    rmSync(directory, { recursive: true, force: true });
  }
}
