/**
 * Takes the locales of the world out of the ICU data that Node carries inside itself, as a build of Node with
 * `--with-intl=small-icu` lacks them: 33 MB, of which the agent, which speaks English, asks for a tenth.
 *
 * The data is one "common data" package (ICU4C, udatamem.h and ucmndata.h): a header, a table of names with offsets, the
 * items. A name that is no longer in the table is missing as in a small build, and ICU falls back to the root locale;
 * what stood behind it becomes zeros, which compress to nothing.
 */

/** At offset 2 of the header: the magic numbers of UDataInfo; "CmnD", the package's format, follows at offset 12. */
const magic = { first: 0xda, second: 0x27 } as const;
const packageFormat = 'CmnD';
/** Table entry: offset of the name, offset of the data, both counted from the table's start. */
const entryBytes = 8;

/** Locale tables stand at the top (`de.res`) and, by topic, in folders (`zone/de.res`). */
const locale = /^(?:[a-z]+\/)?[a-z]{2,3}(?:_[A-Za-z0-9]+)*\.res$/;
const english = /^(?:[a-z]+\/)?en(?:_US(?:_POSIX)?)?\.res$/;
/** Converters of legacy character sets, dictionaries and rules of word breaking, look-alike characters, transliteration. */
const unused = /\.(?:cnv|dict|brk|cfu)$|^(?:translit|rbnf)\//;

/** Whether ICU may ask for the item of this name, such as `zone/en.res`. */
export function isKept(name: string): boolean {
  return !unused.test(name) && (!locale.test(name) || english.test(name));
}

/**
 * A copy of the program whose ICU data holds English and the root locale alone.
 *
 * @throws Error when the file holds no ICU data, or more than one package of it
 */
export function withEnglishOnly(program: Buffer): Buffer {
  const copy = Buffer.from(program);
  const header = findPackage(copy);
  const table = header + copy.readUInt16LE(header);
  const count = copy.readUInt32LE(table);
  const items = Array.from({ length: count }, (_, index) => {
    const at = table + 4 + index * entryBytes;
    const nameOffset = copy.readUInt32LE(at);
    const end = copy.indexOf(0, table + nameOffset);
    const path = copy.toString('latin1', table + nameOffset, end);
    // The package's own name comes first: icudt78l/zone/en.res.
    return { name: path.slice(path.indexOf('/') + 1), nameOffset, dataOffset: copy.readUInt32LE(at + 4) };
  });
  const kept = items.filter(({ name }) => isKept(name));
  if (!kept.some(({ name }) => name === 'root.res')) throw new Error('the ICU data of this Node has no root locale');
  for (const [index, { name, dataOffset }] of items.entries()) {
    // Where the last item ends is not written down; its own part of the file stays.
    const next = items[index + 1]?.dataOffset;
    if (!isKept(name) && next !== undefined) copy.fill(0, table + dataOffset, table + next);
  }
  copy.writeUInt32LE(kept.length, table);
  for (const [index, { nameOffset, dataOffset }] of kept.entries()) {
    copy.writeUInt32LE(nameOffset, table + 4 + index * entryBytes);
    copy.writeUInt32LE(dataOffset, table + 8 + index * entryBytes);
  }
  return copy;
}

function findPackage(file: Buffer): number {
  const found: number[] = [];
  for (let at = file.indexOf(packageFormat); at >= 12; at = file.indexOf(packageFormat, at + 1))
    if (file[at - 10] === magic.first && file[at - 9] === magic.second) found.push(at - 12);
  const [only, ...more] = found;
  if (only === undefined || more.length > 0)
    throw new Error(`expected one package of ICU data in the Node binary, found ${found.length}`);
  return only;
}
