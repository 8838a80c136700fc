/**
 * What every command of `ingot-switch` but the daemons ends with, as diff and grep have it: 1 is an answer, and 2 is
 * none. So a file with mistakes is 1 where `validate` looks for them and 2 where `generate` or `plan` cannot go on with
 * it, and 1 of a comparison always is a difference.
 */
export const ExitStatus = {
  /** Done: nothing is wrong, nothing differs. */
  Done: 0,
  /** It was looked at, and there is something: a file is not valid, something differs or is wrong. */
  Found: 1,
  /** Nothing came of it: the arguments, the input or the surroundings are wrong. */
  Failed: 2,
} as const;
export type ExitStatus = (typeof ExitStatus)[keyof typeof ExitStatus];
