import { chownSync, existsSync, mkdirSync, readFileSync } from 'node:fs';
import type { Libc } from '@ingot/net';
import { DaemonError, DaemonErrorCode } from './errors.ts';

/** Numbers of linux/capability.h. */
export const Capability = { NET_BIND_SERVICE: 10, NET_RAW: 13 } as const;
export type Capability = (typeof Capability)[keyof typeof Capability];

export interface BecomeUserOptions {
  /** A name in /etc/passwd. */
  readonly user: string;
  /** What it may still do afterwards, on this thread and on those that it starts from now on. */
  readonly keep: readonly Capability[];
  /** A folder that the user shall own; made if it is not there. One that is there stays as it is. */
  readonly folder: string;
  readonly libc: Libc | undefined;
}

const PR_SET_KEEPCAPS = 8;
const PR_CAPBSET_DROP = 24;
const PR_SET_NO_NEW_PRIVS = 38;
/** _LINUX_CAPABILITY_VERSION_3: 64 capabilities in two structures. */
const CAPABILITY_VERSION = 0x2008_0522;
const MOST_CAPABILITIES = 64;

/**
 * Goes on as another user, with some of root's rights. To be called before anything is opened: files are then the
 * user's, and ports below 1024 can still be bound, now and at a reload. setuid would take all rights away;
 * PR_SET_KEEPCAPS keeps those of the calling thread, while the threads that Node has for files lose theirs with it.
 * Throws DaemonError PRIVILEGES.
 */
export function becomeUser({ user, keep, folder, libc }: BecomeUserOptions): void {
  const { uid, gid } = lookUp(user);
  if (process.getuid?.() === uid) return;
  if (process.getuid?.() !== 0) throw refusal(`only root can become ${user}: take runAs out, or start it as root`);
  if (libc === undefined)
    throw refusal('this system has no libc that could keep the right to low ports: use the systemd unit, or no runAs');
  if (!existsSync(folder)) {
    mkdirSync(folder, { recursive: true, mode: 0o700 });
    chownSync(folder, uid, gid);
  }
  const call = (what: string, result: number): void => {
    if (result !== 0) throw refusal(`${what} fails with error ${libc.errno()}: use the systemd unit, or no runAs`);
  };
  for (let capability = 0; capability < MOST_CAPABILITIES; capability += 1) {
    // EINVAL beyond the kernel's last one.
    if (!keep.some((kept) => kept === capability) && libc.prctl(PR_CAPBSET_DROP, capability) !== 0) break;
  }
  call('prctl(PR_SET_KEEPCAPS)', libc.prctl(PR_SET_KEEPCAPS, 1));
  process.setgroups?.([gid]);
  process.setgid?.(gid);
  process.setuid?.(uid);
  call('capset', libc.capset(capabilityHeader(), capabilityData(keep)));
  call('prctl(PR_SET_KEEPCAPS)', libc.prctl(PR_SET_KEEPCAPS, 0));
  call('prctl(PR_SET_NO_NEW_PRIVS)', libc.prctl(PR_SET_NO_NEW_PRIVS, 1));
}

function lookUp(user: string): { uid: number; gid: number } {
  const line = readFileSync('/etc/passwd', 'utf8')
    .split('\n')
    .find((each) => each.startsWith(`${user}:`));
  const [, , uid = '', gid = ''] = line?.split(':') ?? [];
  if (!/^\d+$/.test(uid) || !/^\d+$/.test(gid))
    throw refusal(`there is no user ${user}: adduser --system --group ${user}`);
  return { uid: Number(uid), gid: Number(gid) };
}

function capabilityHeader(): Uint8Array {
  // Version, and 0 for the calling thread.
  return new Uint8Array(Uint32Array.of(CAPABILITY_VERSION, 0).buffer);
}

function capabilityData(keep: readonly Capability[]): Uint8Array {
  let mask = 0;
  for (const capability of keep) mask |= 1 << capability;
  // Effective, permitted, inheritable; of capabilities 0 to 31, then of those beyond.
  return new Uint8Array(Uint32Array.of(mask, mask, 0, 0, 0, 0).buffer);
}

function refusal(message: string): DaemonError {
  return new DaemonError(DaemonErrorCode.Privileges, message);
}
