import { mkdirSync, readdirSync, renameSync, rmSync, statSync, utimesSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import type { Logger } from '@ingot/daemon';
import type { Clock, Timer } from '@ingot/net';
import { isSshPublicKey, makeSshKeyPair, SSH_KEY_TYPE } from './ssh-key.ts';

/** What opens the discovery image of one boot. */
export interface DebugKey {
  readonly mac: string;
  /** PEM file with the private key, for the boot server's user only. */
  readonly keyFile: string;
  /** `known_hosts` of ssh: holds the machine's host key, under its MAC, once its agent has told it. */
  readonly hostsFile: string;
  readonly isHostKnown: boolean;
  /** Milliseconds since the epoch. */
  readonly issuedAt: number;
  readonly expiresAt: number;
}

export interface DebugKeys {
  /**
   * Makes the key of the boot that begins through `mac`; that of an earlier boot is gone. Returns the public key in
   * base64, or undefined, with a line in the log, when the private one cannot be kept: the machine boots without.
   */
  issue(mac: string): string | undefined;
  find(mac: string): DebugKey | undefined;
  /** Notes the host key of the boot, base64. False when it is none, or the boot has no key. */
  pinHost(mac: string, hostKey: string): boolean;
  stop(): void;
}

/** A private key that lies about opens machines; who still looks for the fault after a day boots again. */
const KEEP_MS = 24 * 60 * 60 * 1000;
/** More machines than boot through one server within a day: the oldest key goes. */
const MAX_KEYS = 4_096;

/** The keys in `<dataDir>/debug-keys`; those of before the start are found again. */
export function openDebugKeys({ dataDir, clock, log }: { dataDir: string; clock: Clock; log: Logger }): DebugKeys {
  const folder = join(dataDir, 'debug-keys');
  const fileOf = (mac: string, ending: 'pem' | 'hosts'): string =>
    join(folder, `${mac.replaceAll(':', '-')}.${ending}`);
  /** When each was issued, the oldest first. */
  const keys = storedKeys(folder);
  let timer: Timer | undefined;
  const remove = (mac: string): void => {
    keys.delete(mac);
    for (const ending of ['pem', 'hosts'] as const) rmSync(fileOf(mac, ending), { force: true });
  };
  const expire = (): void => {
    timer?.cancel();
    timer = undefined;
    try {
      for (const [mac, issuedAt] of keys) {
        if (issuedAt + KEEP_MS > clock.now() && keys.size <= MAX_KEYS) break;
        remove(mac);
      }
    } catch (error) {
      log.error({ err: error }, 'a debug key that has expired could not be removed from dataDir');
    }
    const [oldest] = keys.values();
    if (oldest !== undefined) timer = clock.setTimeout(expire, Math.max(1, oldest + KEEP_MS - clock.now()));
  };
  expire();
  return {
    issue: (mac) => {
      try {
        const { privateKey, publicKey } = makeSshKeyPair();
        mkdirSync(folder, { recursive: true, mode: 0o700 });
        remove(mac);
        writeOwn(fileOf(mac, 'pem'), privateKey, clock.now());
        keys.set(mac, clock.now());
        expire();
        log.info({ event: 'debug.key', mac }, 'this boot can be looked into: ingot boot ssh');
        return publicKey;
      } catch (error) {
        log.error({ event: 'debug.key-failed', mac, err: error }, 'no debug key for this boot: it goes on without');
        return undefined;
      }
    },
    find: (mac) => {
      const issuedAt = keys.get(mac);
      if (issuedAt === undefined || issuedAt + KEEP_MS <= clock.now()) return undefined;
      const hostsFile = fileOf(mac, 'hosts');
      return {
        mac,
        keyFile: fileOf(mac, 'pem'),
        hostsFile,
        isHostKnown: (statSync(hostsFile, { throwIfNoEntry: false })?.size ?? 0) > 0,
        issuedAt,
        expiresAt: issuedAt + KEEP_MS,
      };
    },
    pinHost: (mac, hostKey) => {
      if (!isSshPublicKey(hostKey) || !keys.has(mac)) return false;
      try {
        writeOwn(fileOf(mac, 'hosts'), `${mac} ${SSH_KEY_TYPE} ${hostKey}\n`, clock.now());
        return true;
      } catch (error) {
        log.error({ event: 'debug.key-failed', mac, err: error }, 'the host key of a machine could not be kept');
        return false;
      }
    },
    stop: () => timer?.cancel(),
  };
}

/** Keys that nobody could use: a simulation shows a command line as it would be, and leaves nothing behind. */
export function forgottenDebugKeys(): Pick<DebugKeys, 'issue'> {
  return { issue: () => makeSshKeyPair().publicKey };
}

/** The time of issue is that of the file. */
function storedKeys(folder: string): Map<string, number> {
  let names: string[];
  try {
    names = readdirSync(folder);
  } catch {
    return new Map();
  }
  const found = names.flatMap((name): (readonly [string, number])[] => {
    if (!/^(?:[0-9a-f]{2}-){5}[0-9a-f]{2}\.pem$/.test(name)) return [];
    const { mtimeMs } = statSync(join(folder, name));
    return [[name.slice(0, -'.pem'.length).replaceAll('-', ':'), Math.round(mtimeMs)]];
  });
  return new Map(found.toSorted(([, a], [, b]) => a - b));
}

/** For its owner only, and whole or not at all. */
function writeOwn(path: string, text: string, nowMs: number): void {
  const fresh = `${path}.new`;
  rmSync(fresh, { force: true });
  writeFileSync(fresh, text, { flag: 'wx', mode: 0o600 });
  utimesSync(fresh, nowMs / 1000, nowMs / 1000);
  renameSync(fresh, path);
}
