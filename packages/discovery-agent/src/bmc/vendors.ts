import type { PasswordSize } from './account.ts';
import type { Controller } from './controller.ts';

/** What a vendor's BMCs need that IPMI does not ask for. */
export interface BmcVendor {
  readonly name: string;
  /** IANA enterprise numbers, as Get Device ID tells them. */
  readonly manufacturers: readonly number[];
  /** Part of the board vendor's name in SMBIOS, lower case: some BMCs have the number of whoever wrote their firmware. */
  readonly boardVendor: string;
  /** Where `metal` goes when it is not there yet and the slot is free. */
  readonly userSlots: readonly number[];
  readonly superUserSlots: readonly number[];
  readonly superUserName: string;
  /** Forms in which it takes passwords. */
  readonly passwordSizes: readonly PasswordSize[];
  /** Device selector of the boot flags for the disk (IPMI 2.0, table 28-14, data 2). */
  readonly bootDisk: number;
  readonly evidence: string;
}

/** Table 28-14: "force boot from default hard-drive". */
const hardDrive = 0x08;

/**
 * A slot that a vendor keeps for itself looks free on some BMCs, so those that metal-stack uses in the field are taken
 * first. Lenovo's "raw" commands there are the standard ones, which its ipmitool of the time did not send right.
 */
const vendors: readonly BmcVendor[] = [
  {
    name: 'Supermicro',
    manufacturers: [10_876, 47_488],
    boardVendor: 'supermicro',
    userSlots: [10],
    superUserSlots: [4],
    superUserName: 'root',
    passwordSizes: [16, 20],
    bootDisk: 0x24,
    evidence: 'metal-stack go-hal: slots 10 and 4; X11 and later boot their disk with 0x24 and not with 0x08',
  },
  {
    name: 'Dell',
    manufacturers: [674],
    boardVendor: 'dell',
    userSlots: [3],
    superUserSlots: [4],
    superUserName: 'root',
    passwordSizes: [16, 20],
    bootDisk: hardDrive,
    evidence: 'metal-stack go-hal: slots 3 and 4; iDRAC: slot 1 is reserved, 2 is the factory’s root',
  },
  {
    name: 'Lenovo',
    manufacturers: [19_046, 20_301],
    boardVendor: 'lenovo',
    userSlots: [3],
    superUserSlots: [4],
    superUserName: 'root',
    passwordSizes: [20],
    bootDisk: hardDrive,
    evidence: 'metal-stack go-hal: slots 3 and 4, passwords always in the form of 20 bytes',
  },
  {
    name: 'Gigabyte',
    manufacturers: [15_370],
    boardVendor: 'giga computing',
    userSlots: [3],
    superUserSlots: [4],
    superUserName: 'superuser',
    passwordSizes: [16, 20],
    bootDisk: hardDrive,
    evidence: 'metal-stack go-hal: slots 3 and 4, superuser is called "superuser" because root is taken',
  },
];

const otherVendor: BmcVendor = {
  name: 'other',
  manufacturers: [],
  boardVendor: '',
  userSlots: [],
  superUserSlots: [],
  superUserName: 'root',
  passwordSizes: [16, 20],
  bootDisk: hardDrive,
  evidence: 'IPMI 2.0 alone; HPE among them, whose iLO has not been tried',
};

export function vendorOf({ manufacturer }: Pick<Controller, 'manufacturer'>, boardVendor: string): BmcVendor {
  const board = boardVendor.toLowerCase();
  return (
    vendors.find(({ manufacturers }) => manufacturers.includes(manufacturer)) ??
    vendors.find((vendor) => board.includes(vendor.boardVendor)) ??
    otherVendor
  );
}
