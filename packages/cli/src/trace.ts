import type { ChannelOptions } from '@ingot/api';
import type { ContextFlags } from './context.ts';
import type { CliIo } from './io.ts';

/** Says on standard error which calls were made and how they went, where that was asked for. */
export function traceTo(flags: ContextFlags, io: CliIo): ChannelOptions['onCall'] {
  if (flags.trace !== true && (io.env['INGOT_TRACE'] ?? '') === '') return undefined;
  return ({ path, durationMs, code }) => io.stderr(`trace: ${path} ${Math.round(durationMs)}ms ${code ?? 'OK'}\n`);
}
