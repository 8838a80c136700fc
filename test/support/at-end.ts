/** What it does before it waits for anything is done at once; the rest only where there is time. */
type CleanUp = () => void | PromiseLike<void>;

const SIGNALS = ['SIGINT', 'SIGTERM', 'SIGHUP'] as const;
const PATIENCE_MS = 20_000;

const cleanUps = new Set<CleanUp>();

/**
 * `await using` takes away what a test or a benchmark made when its block is left, but not when the process is told to
 * end by a signal, meets an error that nobody catches, or calls `process.exit`. Then `cleanUp` is called: the last first,
 * and after a signal each has 20 s to end. Call the result when there is nothing to take away any more.
 */
export function atEnd(cleanUp: CleanUp): () => void {
  if (cleanUps.size === 0) listen();
  cleanUps.add(cleanUp);
  return () => {
    if (cleanUps.delete(cleanUp) && cleanUps.size === 0) listenNoMore();
  };
}

function listen(): void {
  for (const signal of SIGNALS) process.on(signal, onSignal);
  process.on('exit', onExit);
}

function listenNoMore(): void {
  for (const signal of SIGNALS) process.off(signal, onSignal);
  process.off('exit', onExit);
}

function onSignal(signal: NodeJS.Signals): void {
  // Whoever uses what is being taken away fails, and must not end the process before all of it is gone.
  process.on('uncaughtException', () => undefined);
  const end = (): void => void process.kill(process.pid, signal);
  setTimeout(end, PATIENCE_MS);
  void Promise.all(cleanUpAll()).then(end);
}

function onExit(): void {
  void cleanUpAll();
}

function cleanUpAll(): Promise<void>[] {
  const all = [...cleanUps].toReversed();
  cleanUps.clear();
  listenNoMore();
  return all.map(async (cleanUp) => {
    try {
      await cleanUp();
    } catch (error) {
      console.error(error);
    }
  });
}
