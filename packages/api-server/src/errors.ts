/** Why the API server could not start. Errors of calls are `ApiError`s. */
export const ApiServerErrorCode = {
  /** The database is of a newer version of this program. */
  DatabaseTooNew: 'DATABASE_TOO_NEW',
  /** Another API server runs on the same data. */
  DatabaseInUse: 'DATABASE_IN_USE',
  /** The database cannot be opened or upgraded. */
  DatabaseUnusable: 'DATABASE_UNUSABLE',
  /** A file below `<dataDir>/tls` is not what this program has written. */
  TlsFilesUnusable: 'TLS_FILES_UNUSABLE',
  /** The clock stands before this program was made, and something is to be made that lasts. */
  ClockWrong: 'CLOCK_WRONG',
  /** No BMC could take the password in `superUserPasswordFile`. */
  SuperUserPassword: 'SUPER_USER_PASSWORD',
} as const;
export type ApiServerErrorCode = (typeof ApiServerErrorCode)[keyof typeof ApiServerErrorCode];

/** Ends the start; its message says what to do. */
export class ApiServerError extends Error {
  override readonly name = 'ApiServerError';
  readonly code: ApiServerErrorCode;

  constructor(code: ApiServerErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}

/** Why a backup could not be made or used. */
export const BackupErrorCode = {
  /** The file is damaged, cut off, changed, or no backup at all. */
  Damaged: 'BACKUP_DAMAGED',
  /** The key is missing, wrong, or not one. */
  Key: 'BACKUP_KEY',
  /** A newer program has made it. */
  TooNew: 'BACKUP_TOO_NEW',
  /** There is data where it should be restored to. */
  NotEmpty: 'BACKUP_NOT_EMPTY',
  /** The place of the backups, or the database, cannot be used. */
  Place: 'BACKUP_PLACE',
} as const;
export type BackupErrorCode = (typeof BackupErrorCode)[keyof typeof BackupErrorCode];

/** Its message says what to do. */
export class BackupError extends Error {
  override readonly name = 'BackupError';
  readonly code: BackupErrorCode;

  constructor(code: BackupErrorCode, message: string, options?: ErrorOptions) {
    super(message, options);
    this.code = code;
  }
}
