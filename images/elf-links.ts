/**
 * Takes libraries out of what a program is linked with, which do nothing for it in this image: lldpd's SNMP agent, which
 * drags in Perl and Kerberos, is a tenth of everything that Debian's packages bring.
 *
 * The library leaves DT_NEEDED and the version requirements. What only it defined is renamed to something of libc's: its
 * functions to sched_yield(), which takes nothing and answers 0, its variables to in6addr_any, 16 bytes of zeros. Leaving
 * them undefined would not do: lldpd composes an SNMP trap for each neighbour, whether or not anybody listens to it.
 */

const sectionType = { dynamic: 6, dynsym: 11, verneed: 0x6ffffffe, versym: 0x6fffffff } as const;
const dynamicTag = { needed: 1n, verneed: 0x6ffffffen, verneednum: 0x6fffffffn } as const;
const binding = { global: 1, weak: 2 } as const;
const symbolType = { object: 1, function: 2 } as const;
const standIns = { [symbolType.function]: 'sched_yield', [symbolType.object]: 'in6addr_any' } as const;
const symbolBytes = 24;
/** VER_NDX_GLOBAL: of no particular version. */
const noVersion = 1;

interface Section {
  readonly type: number;
  readonly address: number;
  readonly offset: number;
  readonly size: number;
  /** File offset of the string table that the section's names are in. */
  readonly strings: number;
}

/** Reads section headers, so the file must still have them. */
function sections(file: Buffer): Section[] {
  const start = Number(file.readBigUInt64LE(40));
  const size = file.readUInt16LE(58);
  const offsetOf = (index: number): number => Number(file.readBigUInt64LE(start + index * size + 24));
  return Array.from({ length: file.readUInt16LE(60) }, (_, index) => {
    const at = start + index * size;
    return {
      type: file.readUInt32LE(at + 4),
      address: Number(file.readBigUInt64LE(at + 16)),
      offset: offsetOf(index),
      size: Number(file.readBigUInt64LE(at + 32)),
      strings: offsetOf(file.readUInt32LE(at + 40)),
    };
  });
}

function text(file: Buffer, at: number): string {
  return file.toString('latin1', at, file.indexOf(0, at));
}

interface DynamicSymbol {
  readonly name: string;
  readonly index: number;
  readonly at: number;
  readonly defined: boolean;
  readonly binding: number;
  readonly type: number;
}

function dynamicSymbols(file: Buffer): DynamicSymbol[] {
  const table = sections(file).find(({ type }) => type === sectionType.dynsym);
  if (table === undefined) return [];
  return Array.from({ length: table.size / symbolBytes }, (_, index) => {
    const at = table.offset + index * symbolBytes;
    return {
      name: text(file, table.strings + file.readUInt32LE(at)),
      index,
      at,
      defined: file.readUInt16LE(at + 6) !== 0,
      binding: file.readUInt8(at + 4) >> 4,
      type: file.readUInt8(at + 4) & 15,
    };
  });
}

/**
 * A copy of a program, or of a library, that starts without `dropped`.
 *
 * @param dropped the libraries by the names that DT_NEEDED has, with their files, section headers included
 * @param kept all others that it is linked with: lldpd takes strlcpy() from net-snmp, and libbsd has one too
 * @throws Error naming a library that the program is not linked with: the list would be out of date
 */
export function withoutLibraries(
  program: Buffer,
  dropped: ReadonlyMap<string, Buffer>,
  kept: readonly Buffer[],
): Buffer {
  const copy = Buffer.from(program);
  const all = sections(copy);
  const defined = (library: Buffer): string[] =>
    dynamicSymbols(library).flatMap((symbol) => (symbol.defined ? [symbol.name] : []));
  const orphans = new Set([...dropped.values()].flatMap(defined)).difference(new Set(kept.flatMap(defined)));
  const requirements = all.find(({ type }) => type === sectionType.verneed);
  const left = requirements === undefined ? undefined : unlinkRequirements(copy, requirements, dropped);
  const dynamic = all.find(({ type }) => type === sectionType.dynamic);
  if (dynamic === undefined) throw new Error('the program is linked statically');
  const freed = rewriteDynamic(copy, dynamic, dropped, left);
  const versions = all.find(({ type }) => type === sectionType.versym);
  const orphaned = dynamicSymbols(copy).filter(
    (symbol) => symbol.binding === binding.global && orphans.has(symbol.name),
  );
  // A variable that the program has its own copy of (R_*_COPY) stays as it is, zero, when nothing has to be found.
  for (const { at, type } of orphaned.filter((symbol) => symbol.defined))
    copy.writeUInt8((binding.weak << 4) | type, at + 4);
  for (const type of [symbolType.function, symbolType.object]) {
    const symbols = orphaned.filter((symbol) => !symbol.defined && symbol.type === type);
    if (symbols.length === 0) continue;
    // The names of the libraries themselves are what the string table has to spare.
    const place = freed.find(({ length }) => length >= standIns[type].length);
    if (place === undefined) throw new Error(`no name of a dropped library is left to hold "${standIns[type]}"`);
    freed.splice(freed.indexOf(place), 1);
    copy.write(`${standIns[type]}\0`, dynamic.strings + place.offset, 'latin1');
    for (const symbol of symbols) {
      copy.writeUInt32LE(place.offset, symbol.at);
      if (versions !== undefined) copy.writeUInt16LE(noVersion, versions.offset + symbol.index * 2);
    }
  }
  return copy;
}

interface FreedName {
  readonly offset: number;
  readonly length: number;
}

interface RequirementsLeft {
  readonly count: number;
  /** Address of the first. */
  readonly address: number;
}

/** Elf64_Verneed: a list, of which each entry says how far the next one is. */
function unlinkRequirements(file: Buffer, section: Section, dropped: ReadonlyMap<string, Buffer>): RequirementsLeft {
  const entries: number[] = [];
  for (let at = section.offset; ; at += file.readUInt32LE(at + 12)) {
    entries.push(at);
    if (file.readUInt32LE(at + 12) === 0) break;
  }
  const kept = entries.filter((at) => !dropped.has(text(file, section.strings + file.readUInt32LE(at + 4))));
  for (const [index, at] of kept.entries()) file.writeUInt32LE((kept[index + 1] ?? at) - at, at + 12);
  return { count: kept.length, address: section.address + (kept[0] ?? section.offset) - section.offset };
}

/** @returns the names in the string table that nothing refers to any more */
function rewriteDynamic(
  file: Buffer,
  section: Section,
  dropped: ReadonlyMap<string, Buffer>,
  left: RequirementsLeft | undefined,
): FreedName[] {
  const missing = new Set(dropped.keys());
  const freed: FreedName[] = [];
  const entries: { tag: bigint; value: bigint }[] = [];
  for (let at = section.offset; at < section.offset + section.size; at += 16) {
    const tag = file.readBigInt64LE(at);
    const value = file.readBigUInt64LE(at + 8);
    if (tag === dynamicTag.needed) {
      const name = text(file, section.strings + Number(value));
      if (missing.delete(name)) {
        freed.push({ offset: Number(value), length: name.length });
        continue;
      }
    }
    if (left !== undefined && left.count === 0 && (tag === dynamicTag.verneed || tag === dynamicTag.verneednum))
      continue;
    if (left !== undefined && tag === dynamicTag.verneed) entries.push({ tag, value: BigInt(left.address) });
    else if (left !== undefined && tag === dynamicTag.verneednum) entries.push({ tag, value: BigInt(left.count) });
    else entries.push({ tag, value });
  }
  if (missing.size > 0) throw new Error(`not linked with ${[...missing].join(', ')}; take it out of unusedLibraries`);
  file.fill(0, section.offset, section.offset + section.size);
  for (const [index, { tag, value }] of entries.entries()) {
    file.writeBigInt64LE(tag, section.offset + index * 16);
    file.writeBigUInt64LE(value, section.offset + index * 16 + 8);
  }
  return freed;
}
