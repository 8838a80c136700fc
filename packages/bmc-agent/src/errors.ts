/** Stable codes: the result of a command begins with one, and logs, metrics and the documentation have them. */
export const BmcErrorCode = {
  /** The API does not know enough to reach the BMC. */
  Address: 'BMC_ADDRESS',
  /** The BMC does not answer. */
  Unreachable: 'BMC_UNREACHABLE',
  /** The BMC does not accept user and password. */
  Login: 'BMC_LOGIN',
  /** The command was not carried out within its time. */
  Timeout: 'BMC_TIMEOUT',
  /** The BMC was told to reset the machine, and did not answer. The API has it, too, for a worker that was killed. */
  Unknown: 'BMC_UNKNOWN',
  /** A reset or power cycle that had to wait for too long, or for a worker that was stopped. */
  NotBegun: 'BMC_NOT_BEGUN',
  /** The BMC says no. */
  Refused: 'BMC_REFUSED',
  /** The BMC took the command, and the machine did not follow. */
  NotDone: 'BMC_NOT_DONE',
  /** A machine that is off cannot be reset. */
  MachineOff: 'BMC_MACHINE_OFF',
  /** Neither this worker nor the BMC knows the command. */
  Unsupported: 'BMC_UNSUPPORTED',
  /** The BMC's answer is not understood. */
  Answer: 'BMC_ANSWER',
  /** ipmitool is missing. */
  Ipmitool: 'BMC_IPMITOOL',
  /** The BMC's certificate is not trusted. */
  Certificate: 'BMC_CERTIFICATE',
  /** The inventory cannot be read, or is none. */
  Inventory: 'BMC_INVENTORY',
  /** The leases of a DHCP server cannot be read, or are none. */
  Leases: 'BMC_LEASES',
  /** The CA of the API server, or of the BMCs, cannot be read. */
  CaFile: 'BMC_CA_FILE',
} as const;
export type BmcErrorCode = (typeof BmcErrorCode)[keyof typeof BmcErrorCode];

/** What went wrong with a BMC, and what to do about it. Never holds a password. */
export class BmcError extends Error {
  readonly code: BmcErrorCode;

  constructor(code: BmcErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'BmcError';
    this.code = code;
  }
}

/** The words of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
