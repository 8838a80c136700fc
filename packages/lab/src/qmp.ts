import { connect } from 'node:net';
import { createInterface } from 'node:readline';
import { LabError } from './errors.ts';

interface QmpAnswer {
  readonly return?: unknown;
  readonly error?: { readonly class: string; readonly desc: string };
}

const deadlineMs = 10_000;

/** Sends one command over a QEMU monitor socket (QMP) and returns its answer; LAB_COMMAND_FAILED with QEMU's words. */
export async function qmp(
  socketPath: string,
  command: string,
  args: Readonly<Record<string, unknown>> = {},
): Promise<unknown> {
  const socket = connect(socketPath);
  socket.setTimeout(deadlineMs, () => socket.destroy(new Error(`no answer within ${deadlineMs} ms`)));
  try {
    const lines = createInterface({ input: socket })[Symbol.asyncIterator]();
    await lines.next(); // the greeting
    for (const request of [{ execute: 'qmp_capabilities' }, { execute: command, arguments: args }]) {
      socket.write(`${JSON.stringify(request)}\n`);
      const answer = await nextAnswer(lines);
      if (answer.error !== undefined) throw new Error(answer.error.desc);
      if (request.execute === command) return answer.return;
    }
    return undefined;
  } catch (error) {
    throw new LabError(
      'LAB_COMMAND_FAILED',
      `QEMU monitor ${command}: ${error instanceof Error ? error.message : String(error)}`,
      { cause: error },
    );
  } finally {
    socket.destroy();
  }
}

/** Skips the events that QEMU sends in between. */
async function nextAnswer(lines: AsyncIterator<string>): Promise<QmpAnswer> {
  for (;;) {
    const { value, done } = await lines.next();
    if (done === true) throw new Error('the monitor closed the connection');
    const message: QmpAnswer = JSON.parse(value);
    if (message.return !== undefined || message.error !== undefined) return message;
  }
}
