import { closeSync, openSync, writeSync } from 'node:fs';
import type { LogSink } from './log-sinks.ts';

/** Facility 3, a daemon, and severity 3 or 6 (RFC 5424 §6.2.1); the console shows what is graver than 4. */
const PRIORITY = { error: 27, info: 30 } as const;
/** The kernel refuses a record of 1,024 bytes, with its prefix. */
const MAX_BYTES = 900;

/**
 * Writes to the kernel's log, in time with its own messages: what a crash dump or `dmesg` shows. Without the device, or
 * the right to it, nothing is written.
 *
 * @param path `/dev/kmsg`
 */
export function kernelLog(path: string): LogSink {
  return ({ level, phase, words }) => {
    try {
      // Opened each time: a descriptor of /dev/kmsg that is kept would be one more for every child to inherit.
      const file = openSync(path, 'a');
      try {
        const record = Buffer.from(`<${PRIORITY[level]}>ingot: ${phase}: ${words}`).subarray(0, MAX_BYTES);
        // One write is one record.
        writeSync(file, record);
      } finally {
        closeSync(file);
      }
    } catch {
      // The kernel may refuse what comes too fast; the console and the file have it.
    }
  };
}
