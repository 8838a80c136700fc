/**
 * The bill of materials of an image: an SPDX 2.3 document in JSON (https://spdx.github.io/spdx-spec/v2.3/), the same
 * bytes for the same image.
 */
import type { Architecture } from './architecture.ts';
import type { PackedPackage } from './base-layer.ts';
import type { BundledPackage } from './bundle.ts';
import { sha256 } from './debian.ts';

/** A value that the authors of the document do not know; SPDX asks for it instead of an absent one. */
const unknown = 'NOASSERTION';

export interface SbomInputs {
  readonly architecture: Architecture;
  readonly initrdSha256: string;
  readonly vmlinuzSha256: string;
  readonly kernelVersion: string;
  readonly node: { readonly npmName: string; readonly version: string };
  readonly debian: readonly PackedPackage[];
  readonly npm: readonly BundledPackage[];
  /** Files of firmware that whoever built the image brought along. */
  readonly firmware: readonly string[];
  /** Seconds since the epoch: https://reproducible-builds.org/specs/source-date-epoch/. */
  readonly createdAt: number;
}

interface SpdxChecksum {
  readonly algorithm: 'SHA256';
  readonly checksumValue: string;
}

interface SpdxPackage {
  readonly SPDXID: string;
  readonly name: string;
  readonly versionInfo?: string;
  readonly supplier?: string;
  readonly downloadLocation: string;
  readonly filesAnalyzed: false;
  readonly checksums?: readonly SpdxChecksum[];
  readonly licenseConcluded: string;
  readonly licenseDeclared: string;
  readonly copyrightText: string;
  readonly comment?: string;
  readonly primaryPackagePurpose?: 'OPERATING-SYSTEM' | 'APPLICATION' | 'LIBRARY' | 'FIRMWARE';
  readonly externalRefs?: readonly {
    readonly referenceCategory: 'PACKAGE-MANAGER';
    readonly referenceType: 'purl';
    readonly referenceLocator: string;
  }[];
}

export interface SpdxDocument {
  readonly spdxVersion: 'SPDX-2.3';
  readonly dataLicense: 'CC0-1.0';
  readonly SPDXID: 'SPDXRef-DOCUMENT';
  readonly name: string;
  readonly documentNamespace: string;
  readonly creationInfo: { readonly created: string; readonly creators: readonly string[] };
  readonly packages: readonly SpdxPackage[];
  readonly hasExtractedLicensingInfos: readonly { readonly licenseId: string; readonly extractedText: string }[];
  readonly relationships: readonly {
    readonly spdxElementId: string;
    readonly relationshipType: 'DESCRIBES' | 'CONTAINS';
    readonly relatedSpdxElement: string;
  }[];
}

export function buildSbom(inputs: SbomInputs): SpdxDocument {
  const { architecture, debian, npm, node, firmware } = inputs;
  const title = `ingot-discovery-image-${architecture}`;
  const image: SpdxPackage = {
    ...plain('Image', title, 'NOASSERTION'),
    versionInfo: inputs.initrdSha256.slice(0, 12),
    checksums: [{ algorithm: 'SHA256', checksumValue: inputs.initrdSha256 }],
    comment: 'The checksum is that of the file initrd.',
    primaryPackagePurpose: 'OPERATING-SYSTEM',
  };
  const parts: SpdxPackage[] = [
    ...debian.map((entry) => debianPackage(entry, inputs)),
    {
      ...plain(`Npm-${node.npmName}`, node.npmName, 'MIT'),
      versionInfo: node.version,
      comment: 'The Node binary, without symbols and without the locale data of other languages than English.',
      primaryPackagePurpose: 'APPLICATION',
      externalRefs: purl(`pkg:npm/${node.npmName}@${node.version}`),
    },
    ...npm.map(npmPackage),
    ...(firmware.length === 0
      ? []
      : [
          {
            ...plain('Firmware', 'firmware', unknown),
            comment: `Given to the build as files: ${firmware.join(', ')}`,
            primaryPackagePurpose: 'FIRMWARE',
          } as const,
        ]),
  ];
  const texts = new Map(debian.flatMap(({ license }) => Object.entries(license?.texts ?? {})));
  const body = {
    packages: [image, ...parts],
    hasExtractedLicensingInfos: [...texts]
      .sort(([a], [b]) => (a < b ? -1 : 1))
      .map(([licenseId, extractedText]) => ({ licenseId, extractedText })),
    relationships: [
      { spdxElementId: 'SPDXRef-DOCUMENT', relationshipType: 'DESCRIBES', relatedSpdxElement: image.SPDXID } as const,
      ...parts.map(
        ({ SPDXID }) =>
          ({ spdxElementId: image.SPDXID, relationshipType: 'CONTAINS', relatedSpdxElement: SPDXID }) as const,
      ),
    ],
  };
  return {
    spdxVersion: 'SPDX-2.3',
    dataLicense: 'CC0-1.0',
    SPDXID: 'SPDXRef-DOCUMENT',
    name: title,
    // Nobody has to find anything there; another content must only have another one (SPDX 2.3, 6.5).
    documentNamespace: `https://ingot.invalid/spdx/${title}-${sha256(JSON.stringify(body))}`,
    creationInfo: {
      created: `${new Date(inputs.createdAt * 1000).toISOString().slice(0, 19)}Z`,
      creators: ['Tool: ingot-images'],
    },
    ...body,
  };
}

function plain(id: string, name: string, licenseDeclared: string): SpdxPackage {
  return {
    SPDXID: `SPDXRef-${id.replaceAll(/[^A-Za-z0-9.-]+/g, '-')}`,
    name,
    downloadLocation: unknown,
    filesAnalyzed: false,
    licenseConcluded: unknown,
    licenseDeclared,
    copyrightText: unknown,
  };
}

function purl(referenceLocator: string): NonNullable<SpdxPackage['externalRefs']> {
  return [{ referenceCategory: 'PACKAGE-MANAGER', referenceType: 'purl', referenceLocator }];
}

function debianPackage(entry: PackedPackage, { architecture, kernelVersion, vmlinuzSha256 }: SbomInputs): SpdxPackage {
  const { name, version, license } = entry;
  const expressions = license?.expressions ?? [];
  const declared = expressions.map((text) => (text.includes(' OR ') && expressions.length > 1 ? `(${text})` : text));
  const isKernel = name === `linux-image-${kernelVersion}`;
  return {
    ...plain(`Debian-${name}`, name, declared.length === 0 ? unknown : declared.join(' AND ')),
    versionInfo: version,
    supplier: 'Organization: Debian',
    checksums: [{ algorithm: 'SHA256', checksumValue: entry.sha256 }],
    comment: isKernel
      ? `The checksum is that of the package; its kernel is the file vmlinuz, sha256 ${vmlinuzSha256}, and its drivers are in the initrd.`
      : 'Some files of the package; the checksum is that of the package.',
    ...(isKernel && { primaryPackagePurpose: 'OPERATING-SYSTEM' as const }),
    externalRefs: purl(`pkg:deb/debian/${name}@${encodeURIComponent(version)}?arch=${architecture}`),
  };
}

function npmPackage({ name, version, license }: BundledPackage): SpdxPackage {
  return {
    ...plain(`Npm-${name}-${version}`, name, license ?? unknown),
    versionInfo: version,
    comment: 'Bundled into agent.cjs.',
    primaryPackagePurpose: 'LIBRARY',
    externalRefs: purl(`pkg:npm/${name.replace('@', '%40')}@${version}`),
  };
}
