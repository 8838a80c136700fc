/** What was thrown, in words. */
export function wordsOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}

/** The same of what `fetch` threw, which itself says "fetch failed" or "terminated", and keeps the reason as its cause. */
export function fetchFailure(error: unknown): string {
  if (!(error instanceof Error)) return String(error);
  const { cause } = error;
  if (!(cause instanceof Error) || cause.message === error.message) return error.message;
  // Of several addresses, all of which failed.
  const reason = cause instanceof AggregateError ? cause.errors.map(fetchFailure).join(', ') : cause.message;
  return reason === '' ? error.message : reason;
}
