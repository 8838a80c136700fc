/**
 * What SPDX 2.3 asks of a document in JSON, as far as Ingot writes one: the mandatory fields of chapters 6, 7, 10 and 11,
 * and that everything referred to is there. Written from the specification, not from the writer.
 */

const object = (value: unknown): Readonly<Record<string, unknown>> =>
  typeof value === 'object' && value !== null ? { ...value } : {};
const list = (value: unknown): readonly Readonly<Record<string, unknown>>[] =>
  Array.isArray(value) ? value.map(object) : [];

const spdxId = /^SPDXRef-[A-Za-z0-9.-]+$/;
const actor = /^(?:Person|Organization): .+$|^NOASSERTION$/;
/** Of SPDX's list, those that Debian's and npm's packages of the image bring. */
const listed = new Set(
  `0BSD AGPL-3.0-only Apache-2.0 Artistic-1.0 Beerware BSD-2-Clause BSD-3-Clause BSD-4-Clause BSL-1.0 BlueOak-1.0.0
   CC0-1.0 curl GFDL-1.3-or-later GPL-1.0-or-later GPL-2.0-only GPL-2.0-or-later GPL-3.0-only GPL-3.0-or-later ISC
   LGPL-2.0-or-later LGPL-2.1-only LGPL-2.1-or-later LGPL-3.0-or-later MIT Unlicense X11 Zlib`.split(/\s+/),
);

/** Empty for a valid document. */
export function spdxProblems(parsed: unknown): string[] {
  const document = object(parsed);
  const problems: string[] = [];
  const need = (holds: boolean, what: string): void => void (holds || problems.push(what));
  const text = (value: unknown, pattern: RegExp, what: string): void =>
    need(typeof value === 'string' && pattern.test(value), `${what}: ${JSON.stringify(value)}`);

  text(document['spdxVersion'], /^SPDX-2\.3$/, 'spdxVersion');
  text(document['dataLicense'], /^CC0-1\.0$/, 'dataLicense');
  text(document['SPDXID'], /^SPDXRef-DOCUMENT$/, 'SPDXID');
  text(document['name'], /./, 'name');
  text(document['documentNamespace'], /^[a-z]+:\/\/[^#]+$/, 'documentNamespace');
  const creation = object(document['creationInfo']);
  text(creation['created'], /^\d{4}-\d\d-\d\dT\d\d:\d\d:\d\dZ$/, 'created');
  const creators = creation['creators'];
  need(
    Array.isArray(creators) &&
      creators.length > 0 &&
      creators.every((name) => /^(?:Tool|Person|Organization): ./.test(name)),
    'creators',
  );

  const extracted = list(document['hasExtractedLicensingInfos']);
  for (const { licenseId, extractedText } of extracted) {
    text(licenseId, /^LicenseRef-[A-Za-z0-9.-]+$/, 'licenseId');
    text(extractedText, /\S/, `extractedText of ${String(licenseId)}`);
  }
  const references = new Set(extracted.map(({ licenseId }) => licenseId));
  const license = (value: unknown, where: string): void => {
    text(value, /^(?:NOASSERTION|NONE|[A-Za-z0-9.() -]+)$/, where);
    const expression = String(value);
    if (expression === 'NOASSERTION' || expression === 'NONE') return;
    need(/^\(*[^ ()]+\)*(?: (?:AND|OR) \(*[^ ()]+\)*)*$/.test(expression), `${where}: no expression: ${expression}`);
    need(expression.split('(').length === expression.split(')').length, `${where}: parentheses: ${expression}`);
    for (const name of expression.split(/[() ]+/).filter((word) => !['AND', 'OR', ''].includes(word)))
      need(listed.has(name) || references.has(name), `${where}: unknown licence ${name}`);
  };

  const packages = list(document['packages']);
  const ids = new Set<unknown>(['SPDXRef-DOCUMENT']);
  for (const entry of packages) {
    const where = `package ${String(entry['name'])}`;
    text(entry['SPDXID'], spdxId, `${where}: SPDXID`);
    need(!ids.has(entry['SPDXID']), `${where}: SPDXID given twice`);
    ids.add(entry['SPDXID']);
    text(entry['name'], /./, where);
    text(entry['downloadLocation'], /^(?:NOASSERTION|NONE|[a-z+]+:\/\/.+)$/, `${where}: downloadLocation`);
    // Without it, a packageVerificationCode would be mandatory (7.9).
    need(entry['filesAnalyzed'] === false, `${where}: filesAnalyzed`);
    license(entry['licenseConcluded'], `${where}: licenseConcluded`);
    license(entry['licenseDeclared'], `${where}: licenseDeclared`);
    if (entry['supplier'] !== undefined) text(entry['supplier'], actor, `${where}: supplier`);
    for (const { algorithm, checksumValue } of list(entry['checksums'])) {
      need(algorithm === 'SHA256', `${where}: algorithm`);
      text(checksumValue, /^[0-9a-f]{64}$/, `${where}: checksum`);
    }
    for (const { referenceCategory, referenceType, referenceLocator } of list(entry['externalRefs'])) {
      need(referenceCategory === 'PACKAGE-MANAGER' && referenceType === 'purl', `${where}: externalRefs`);
      text(referenceLocator, /^pkg:(?:deb\/debian|npm)\/[^@ ]+@[^@ ]+$/, `${where}: purl`);
    }
  }

  const relationships = list(document['relationships']);
  for (const { spdxElementId, relationshipType, relatedSpdxElement } of relationships) {
    need(ids.has(spdxElementId), `relationship of the unknown ${String(spdxElementId)}`);
    need(ids.has(relatedSpdxElement), `relationship to the unknown ${String(relatedSpdxElement)}`);
    need(
      relationshipType === 'DESCRIBES' || relationshipType === 'CONTAINS',
      `relationship ${String(relationshipType)}`,
    );
  }
  need(
    relationships.some(
      ({ spdxElementId, relationshipType }) => spdxElementId === 'SPDXRef-DOCUMENT' && relationshipType === 'DESCRIBES',
    ),
    'nothing is described',
  );
  const contained = new Set(relationships.map(({ relatedSpdxElement }) => relatedSpdxElement));
  for (const { SPDXID } of packages) need(contained.has(SPDXID), `${String(SPDXID)} belongs to nothing`);
  return problems;
}
