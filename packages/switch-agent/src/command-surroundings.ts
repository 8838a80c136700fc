/** Where a command prints to, and what it looks at. */
export interface CommandSurroundings {
  readonly out: (text: string) => void;
  readonly err: (text: string) => void;
  readonly env: Readonly<Record<string, string | undefined>>;
  /** Stopped at the first signal, so that no program or file outlives the command. */
  readonly signal: AbortSignal;
}

export function surroundingsOfProcess(): CommandSurroundings {
  const stop = new AbortController();
  const onSignal = (signal: string): void => {
    // Somebody who asks twice does not want to wait.
    if (stop.signal.aborted) process.exit(2);
    stop.abort(new Error(`stopped by ${signal}`));
  };
  // Not "once": execa ends the process by the signal when it finds that nobody else listens.
  process.on('SIGINT', onSignal).on('SIGTERM', onSignal);
  return {
    out: (text) => process.stdout.write(text),
    err: (text) => process.stderr.write(text),
    env: process.env,
    signal: stop.signal,
  };
}
