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

const status = await runCli(process.argv.slice(2), {
  stdout: (text) => void process.stdout.write(text),
  stderr: (text) => void process.stderr.write(text),
  env: process.env,
  home: homedir(),
  labConfigFile: '/run/ingot-lab/cli.yaml',
  now: () => Date.now(),
});
if (status !== undefined) process.exitCode = status;
