export interface LockedPackage {
  readonly name: string;
  readonly version: string;
  /** Of the .deb file, hexadecimal. */
  readonly sha256: string;
}
export declare const sha256: (data: Uint8Array | string) => string;
export declare class PackageGoneError extends Error {
  readonly name = 'PackageGoneError';
}
export declare function readLock(path: string): LockedPackage[];
export declare function writeLock(path: string, packages: readonly LockedPackage[]): void;
/** The versions that this host's package lists offer now. */
export declare function resolveCurrent(): LockedPackage[];
/** Where a package lies unpacked, whether or not it does yet. */
export declare function packageDirectory(cache: string, locked: LockedPackage): string;
/**
 * Downloads, verifies and unpacks whatever of `lock` is not yet in the cache.
 *
 * @throws PackageGoneError when the archive does not offer a pinned version any more
 */
export declare function fetchPackages(cache: string, lock: readonly LockedPackage[]): void;
