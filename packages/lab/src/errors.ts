/** Stable codes of what can go wrong in the lab. */
export type LabErrorCode =
  | 'LAB_NEEDS_ROOT'
  | 'LAB_ALREADY_RUNS'
  | 'LAB_COMMAND_FAILED'
  | 'LAB_PART_DIED'
  | 'LAB_TIMEOUT'
  | 'LAB_MACHINE_FAILED'
  | 'LAB_MISSING_PACKAGE'
  | 'LAB_OPTION';

/** A failure of the lab; the message says what to do. */
export class LabError extends Error {
  readonly code: LabErrorCode;

  constructor(code: LabErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.name = 'LabError';
    this.code = code;
  }
}
