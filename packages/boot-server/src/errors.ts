/** Stable codes of `BootServerError`. */
export const BootServerErrorCode = {
  ConfigInvalid: 'BOOT_CONFIG_INVALID',
  FileUnusable: 'BOOT_FILE_UNUSABLE',
  StoreUnusable: 'BOOT_STORE_UNUSABLE',
  DataDirInUse: 'BOOT_DATA_DIR_IN_USE',
  ListenFailed: 'BOOT_LISTEN_FAILED',
  ArtifactRefused: 'BOOT_ARTIFACT_REFUSED',
  ArtifactUnavailable: 'BOOT_ARTIFACT_UNAVAILABLE',
  ArtifactTooLarge: 'BOOT_ARTIFACT_TOO_LARGE',
  ArtifactNoRoom: 'BOOT_ARTIFACT_NO_ROOM',
  ArtifactMismatch: 'BOOT_ARTIFACT_MISMATCH',
  ApiAway: 'BOOT_API_AWAY',
  ApiRefused: 'BOOT_API_REFUSED',
  AdminAway: 'BOOT_ADMIN_AWAY',
  AdminRefused: 'BOOT_ADMIN_REFUSED',
} as const;
export type BootServerErrorCode = (typeof BootServerErrorCode)[keyof typeof BootServerErrorCode];

/** Every error this package makes: a stable code, and a message that says what to do. */
export class BootServerError extends Error {
  override readonly name = 'BootServerError';
  readonly code: BootServerErrorCode;

  constructor(code: BootServerErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.code = code;
  }
}

/** Settings that contradict each other, or name what there is not: `message` begins with their names. */
export function configInvalid(message: string): BootServerError {
  return new BootServerError(BootServerErrorCode.ConfigInvalid, message);
}
