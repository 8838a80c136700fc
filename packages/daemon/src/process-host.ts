/** The process around a daemon, so that a test can be it. */
export interface ProcessHost {
  readonly argv: readonly string[];
  readonly env: Readonly<Record<string, string | undefined>>;
  readonly pid: number;
  stdout(text: string): void;
  stderr(text: string): void;
  /** Calls `handler` at every SIGTERM and SIGINT; call the result to end that. */
  onSignal(handler: (signal: string) => void): () => void;
  /** Calls `handler` at every SIGHUP, which otherwise ends the process; call the result to end that. */
  onReload(handler: () => void): () => void;
  /** Calls `handler` for exceptions and rejections that nobody caught; call the result to end that. */
  onFault(handler: (error: unknown) => void): () => void;
  exit(code: number): void;
}

const SIGNALS = ['SIGTERM', 'SIGINT'] as const;

/** The real process. */
export function nodeProcess(): ProcessHost {
  return {
    argv: process.argv.slice(2),
    env: process.env,
    pid: process.pid,
    stdout: (text) => void process.stdout.write(text),
    stderr: (text) => void process.stderr.write(text),
    onSignal: (handler) => {
      for (const signal of SIGNALS) process.on(signal, handler);
      return () => {
        for (const signal of SIGNALS) process.off(signal, handler);
      };
    },
    onReload: (handler) => {
      process.on('SIGHUP', handler);
      return () => process.off('SIGHUP', handler);
    },
    onFault: (handler) => {
      const onRejection = (reason: unknown): void => handler(reason);
      process.on('uncaughtException', handler);
      process.on('unhandledRejection', onRejection);
      return () => {
        process.off('uncaughtException', handler);
        process.off('unhandledRejection', onRejection);
      };
    },
    exit: (code) => process.exit(code),
  };
}
