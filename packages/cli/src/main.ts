#!/usr/bin/env node
import { homedir } from 'node:os';
import { runCli } from './cli.ts';
import { whenReaderLeaves } from './reader.ts';

// A reader that has seen enough, such as head, is no error, nor is a terminal that was closed: a lab or a daemon still
// has to take itself down in order.
for (const stream of [process.stdout, process.stderr]) {
  stream.on('error', (error: NodeJS.ErrnoException) => {
    if (error.code !== 'EPIPE' && error.code !== 'EIO') throw error;
  });
}

const ENDS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;

const { stdout, stderr } = process;
const status = await runCli(process.argv.slice(2), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  stdin: () => process.stdin,
  env: process.env,
  home: homedir(),
  labConfigFile: '/run/ingot-lab/cli.yaml',
  now: () => Date.now(),
  ...(stdout.isTTY ? { screen: { draw: (text) => void stdout.write(text), rows: () => stdout.rows } } : {}),
  ...(stderr.isTTY ? { progress: stderr } : {}),
  onReaderGone: whenReaderLeaves,
  onInterrupt: (stop) => {
    // Whoever presses Ctrl-C again does not want to wait for an orderly end. The listener stays meanwhile: without one,
    // what restores the cursor under a display ends the process at once.
    let isStopping = false;
    const end = (signal: NodeJS.Signals): void => {
      if (isStopping) {
        dispose();
        process.kill(process.pid, signal);
      }
      isStopping = true;
      stop();
    };
    const dispose = (): void => {
      for (const signal of ENDS) process.off(signal, end);
      stdout.off('error', stop);
    };
    for (const signal of ENDS) process.on(signal, end);
    // Nobody reads on, as behind "| head".
    stdout.once('error', stop);
    return { [Symbol.dispose]: dispose };
  },
});
if (status !== undefined) process.exitCode = status;
