/**
 * What goes into the discovery image, as data. Changing a list here changes the base layer;
 * `node images/build.ts --update-lock` is needed only when a package is added.
 */
/** A Debian package and the files taken from it. Nothing else of a package is copied. */
export interface PackageContents {
  readonly name: string;
  /** Paths inside the package, without the leading slash, as the package spells them. */
  readonly files: readonly string[];
}
/** The metapackage whose dependency names the kernel to use. */
export declare const kernelMetapackage = 'linux-image-amd64';
export declare const programs: readonly PackageContents[];
/** Packages that only lend shared libraries: which files is decided by the programs' DT_NEEDED entries. */
export declare const libraryPackages: readonly string[];
/** Loaded by name lookups at run time, so no DT_NEEDED entry mentions them. */
export declare const dlopenedLibraries: readonly string[];
/**
 * Modules that a machine in a rack may need before it is known what it is. Their dependencies come along.
 * A name that the kernel has built in is skipped, a name that it does not know is an error.
 */
export declare const modules: readonly string[];
/** busybox applets that get a symlink. */
export declare const applets: readonly string[];
/** Small files of /etc. `_lldpd` is the user that lldpd drops to. */
export declare const etcFiles: Readonly<Record<string, string>>;
export declare const directories: readonly string[];
/** Merged /usr, as Debian has it. */
export declare const symlinks: Readonly<Record<string, string>>;
