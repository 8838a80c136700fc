import type { BmcFacts } from './facts.ts';

/** What a machine boots next time, and that time only. */
export type BootDevice = 'pxe' | 'disk' | 'bios';
/** `reset` and `cycle` are for machines that are on; `off` does not ask the operating system. */
export type PowerAction = 'on' | 'off' | 'reset' | 'cycle';

/**
 * A management controller, whatever it speaks. Everything rejects with a BmcError, or with the reason of the signal that
 * it was made with.
 */
export interface BmcController {
  isOn(): Promise<boolean>;
  power(action: PowerAction): Promise<void>;
  bootNext(device: BootDevice): Promise<void>;
  identify(lit: boolean): Promise<void>;
}

/** A controller as the worker has it: it can be asked for all that it knows, and ends what it has begun with the BMC. */
export interface BmcConnection extends BmcController {
  /** Rejects only when not even the power state can be read. */
  inspect(): Promise<BmcFacts>;
  /** Never rejects. */
  close(): Promise<void>;
}
