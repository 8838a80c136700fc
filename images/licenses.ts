/**
 * Licences out of a Debian package's copyright file, where that is machine-readable (DEP-5,
 * https://www.debian.org/doc/packaging-manuals/copyright-format/1.0/), as SPDX licence expressions (SPDX 2.3, annex D).
 */
import { readFileSync } from 'node:fs';
import { join } from 'node:path';

export interface DeclaredLicense {
  /** SPDX expressions, all of which apply, to one part or another of the source package; sorted. */
  readonly expressions: readonly string[];
  /** Texts of the licences that SPDX's list has no name for, by their LicenseRef. */
  readonly texts: Readonly<Record<string, string>>;
}

/** Debian's short names that SPDX spells otherwise, in lower case, versions cut to their significant part. */
const spdxNames: Readonly<Record<string, string>> = {
  'apache-2': 'Apache-2.0',
  'apache-2.0': 'Apache-2.0',
  'artistic-1': 'Artistic-1.0',
  beerware: 'Beerware',
  'bsd-2-clause': 'BSD-2-Clause',
  'bsd-3-clause': 'BSD-3-Clause',
  'bsd-4-clause': 'BSD-4-Clause',
  bsl: 'BSL-1.0',
  cc0: 'CC0-1.0',
  'cc0-1': 'CC0-1.0',
  curl: 'curl',
  expat: 'MIT',
  isc: 'ISC',
  mit: 'MIT',
  x11: 'X11',
  zlib: 'Zlib',
};

/** GNU licences: `GPL-2`, `GPL-2+`, `LGPL-2.1`, `GPL-2.0+`. */
const gnu = /^(A?GPL|LGPL|GFDL)-(\d)(?:\.(\d))?(\+?)$/;

function spdxName(name: string): string | undefined {
  const [, family, major, minor = family === 'GFDL' ? '1' : '0', later] = gnu.exec(name) ?? [];
  if (family !== undefined) return `${family}-${major}.${minor}-${later === '+' ? 'or-later' : 'only'}`;
  return spdxNames[name.toLowerCase().replace(/\.0$/, '')] ?? spdxNames[name.toLowerCase()];
}

/**
 * @param root the unpacked package
 * @returns undefined when the file is absent (a link to another package's) or written for people only
 */
export function readLicenses(root: string, name: string): DeclaredLicense | undefined {
  try {
    return parseCopyright(readFileSync(join(root, 'usr/share/doc', name, 'copyright'), 'utf8'), name);
  } catch {
    return undefined;
  }
}

export function parseCopyright(text: string, packageName: string): DeclaredLicense | undefined {
  const [header = '', ...paragraphs] = text.split(/\n[ \t]*\n/);
  if (!/^Format:\s*https?:\/\/\S*copyright-format\//im.test(header)) return undefined;
  const fields = paragraphs.flatMap((paragraph) => {
    const field = /^License:[ \t]*(?<synopsis>[^\n]*)(?<body>(?:\n[ \t][^\n]*)*)/m.exec(paragraph)?.groups;
    const synopsis = field?.['synopsis']?.trim() ?? '';
    return synopsis === ''
      ? []
      : [{ synopsis, body: (field?.['body'] ?? '').trim(), files: /^Files:/m.test(paragraph) }];
  });
  const bodies = new Map(fields.filter(({ body }) => body !== '').map(({ synopsis, body }) => [synopsis, body]));
  const texts: Record<string, string> = {};
  const expressionOf = (name: string): string => {
    const known = spdxName(name);
    if (known !== undefined) return known;
    const reference = `LicenseRef-${packageName}-${name}`.replaceAll(/[^A-Za-z0-9.-]+/g, '-');
    // The short name is all that some files say of a licence.
    texts[reference] = bodies.get(name) ?? name;
    return reference;
  };
  const expressions = new Set(
    fields.filter(({ files }) => files).map(({ synopsis }) => convertExpression(synopsis, expressionOf)),
  );
  return { expressions: [...expressions].sort(), texts };
}

/** `and` binds tighter than `or` in both languages, but Debian's `, and` binds looser than either. */
function convertExpression(synopsis: string, nameOf: (name: string) => string): string {
  const groups = synopsis.split(/,\s+and\s+/i).map((group) =>
    group
      .split(/,?\s+or\s+/i)
      .map((choice) =>
        choice
          .split(/\s+and\s+/i)
          .map(nameOf)
          .join(' AND '),
      )
      .join(' OR '),
  );
  return groups.length === 1
    ? (groups[0] ?? '')
    : groups.map((group) => (group.includes(' OR ') ? `(${group})` : group)).join(' AND ');
}
