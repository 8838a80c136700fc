import { spawn } from 'node:child_process';
import { once } from 'node:events';
import { createInterface } from 'node:readline';
import { fileURLToPath } from 'node:url';
import { openConnection } from './grpc-calls.ts';
import { inParallel } from './rig.ts';

const CALLS = 10_000;
/** As long as a registration. */
const REQUEST_BYTES = 2_000;
const CONNECTIONS = 8;
const AT_ONCE = 64;

/** The generator against the least that answers: calls a second, and its own processor time for each, milliseconds. */
export async function generatorCeiling(
  tlsDirectory: string,
  ca: string,
): Promise<{ readonly perSecond: number; readonly cpuEach: number }> {
  const program = fileURLToPath(new URL('echo-main.ts', import.meta.url));
  const child = spawn(process.execPath, [program, tlsDirectory], { stdio: ['pipe', 'pipe', 'inherit'] });
  try {
    const lines = createInterface({ input: child.stdout });
    const [port] = await once(lines, 'line', { signal: AbortSignal.timeout(10_000) });
    const connections = await Promise.all(
      Array.from({ length: CONNECTIONS }, () => openConnection(`https://127.0.0.1:${String(port)}`, ca)),
    );
    const message = new Uint8Array(REQUEST_BYTES);
    const ask = async (_item: number, index: number): Promise<void> => {
      await connections[index % CONNECTIONS]?.call('/load/Echo', 'token', message);
    };
    const numbers = Array.from({ length: CALLS }, (_, index) => index);
    await inParallel(numbers.slice(0, CALLS / 10), AT_ONCE, ask);
    const before = process.cpuUsage();
    const startedAt = performance.now();
    await inParallel(numbers, AT_ONCE, ask);
    const seconds = (performance.now() - startedAt) / 1000;
    const { user, system } = process.cpuUsage(before);
    for (const connection of connections) connection[Symbol.dispose]();
    return { perSecond: CALLS / seconds, cpuEach: (user + system) / 1000 / CALLS };
  } finally {
    const exited = once(child, 'exit');
    child.stdin.end();
    await exited;
  }
}
