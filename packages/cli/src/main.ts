#!/usr/bin/env node
import { homedir } from 'node:os';
import { runCli } from './cli.ts';

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
  env: process.env,
  home: homedir(),
  labConfigFile: '/run/ingot-lab/cli.yaml',
  now: () => Date.now(),
  ...(stdout.isTTY ? { screen: { draw: (text) => void stdout.write(text), rows: () => stdout.rows } } : {}),
  ...(stderr.isTTY ? { progress: stderr } : {}),
  onInterrupt: (stop) => {
    // Once: whoever presses Ctrl-C again does not want to wait for an orderly end.
    for (const signal of ENDS) process.once(signal, stop);
    // Nobody reads on, as behind "| head".
    stdout.once('error', stop);
    return {
      [Symbol.dispose]: () => {
        for (const signal of ENDS) process.off(signal, stop);
        stdout.off('error', stop);
      },
    };
  },
});
if (status !== undefined) process.exitCode = status;
