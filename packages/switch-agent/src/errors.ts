/** Stable codes: they appear in logs, metrics and the documentation. */
export const SwitchAgentErrorCode = {
  /** A file of SONiC's is missing or not what SONiC writes. */
  SonicFile: 'SWITCH_SONIC_FILE',
  /** A SONiC database cannot be reached, does not answer in time, or answers nonsense. */
  Database: 'SWITCH_DATABASE',
  /** Settings that do not fit together. */
  Config: 'SWITCH_CONFIG',
  /** The file with the last desired state cannot be read or written. */
  StateFile: 'SWITCH_STATE_FILE',
  /** The saved configuration cannot be read or written by the daemon. */
  SavedConfig: 'SWITCH_SAVED_CONFIG',
  /** CONFIG_DB is empty, or being loaded. */
  NotLoaded: 'SWITCH_NOT_LOADED',
  /** CONFIG_DB holds no port that can be registered. */
  NoPorts: 'SWITCH_NO_PORTS',
  /** Neither the configuration nor the management interface gives an address. */
  ManagementIp: 'SWITCH_MANAGEMENT_IP',
  /** The CA of the API server cannot be read. */
  CaFile: 'SWITCH_CA_FILE',
  /** An include file of frr.conf cannot be read, or is no text. */
  FrrInclude: 'SWITCH_FRR_INCLUDE',
  /** The name of the switch is not a host name that the API takes. */
  Hostname: 'SWITCH_HOSTNAME',
  /** This system has no packet sockets for the DHCP relay. */
  Relay: 'SWITCH_RELAY',
  /** A file to be checked cannot be read. */
  ConfigFile: 'SWITCH_CONFIG_FILE',
  /** yanglint is missing, too old, hangs, or answers something that is not understood. */
  Yanglint: 'SWITCH_YANGLINT',
  /** SONiC's YANG models are not where they were looked for, or do not load. */
  YangModels: 'SWITCH_YANG_MODELS',
} as const;
export type SwitchAgentErrorCode = (typeof SwitchAgentErrorCode)[keyof typeof SwitchAgentErrorCode];

/** What went wrong on the switch itself, and what to do about it. */
export class SwitchAgentError extends Error {
  readonly code: SwitchAgentErrorCode;

  constructor(code: SwitchAgentErrorCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.name = 'SwitchAgentError';
    this.code = code;
  }
}

/** The words of whatever was thrown. */
export function reasonOf(error: unknown): string {
  return error instanceof Error ? error.message : String(error);
}
