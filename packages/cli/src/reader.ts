import { spawn } from 'node:child_process';
import { fstatSync } from 'node:fs';

const STDOUT = 1;

/**
 * Calls `stop` when nobody reads the pipe any more that standard output is, as behind `| head`, until disposed. Node looks
 * at a pipe only when it writes to it, and a list that does not change has nothing to write for hours. GNU's tail looks,
 * at least every second, and ends with this process; where there is none the reader is missed with the next line.
 */
export function whenReaderLeaves(stop: () => void): Disposable {
  if (!fstatSync(STDOUT).isFIFO()) return { [Symbol.dispose]: () => {} };
  const tail = spawn('tail', ['-f', `--pid=${process.pid}`, '/dev/null'], { stdio: ['ignore', 'inherit', 'ignore'] });
  let isOver = false;
  tail.once('error', () => {});
  tail.once('exit', (_code, signal) => {
    if (signal === 'SIGPIPE' && !isOver) stop();
  });
  tail.unref();
  return {
    [Symbol.dispose]: () => {
      isOver = true;
      tail.kill();
    },
  };
}
