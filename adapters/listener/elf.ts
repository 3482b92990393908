// Points the C23 names of a Linux addon at their older twins, so that it loads on a glibc from before 2.38.
// A program compiled against glibc 2.38 asks for __isoc23_strtol and its like, which differ from strtol only in also
// reading '0b…' numbers. Each such name ends in the older name, so moving the name's offset forward renames the symbol
// without adding a byte; the version it asks for is then renamed from GLIBC_2.38 to the oldest one of the platform.

const newName = 'GLIBC_2.38'
const prefix = '__isoc23_'
const twins = ['sscanf', 'strtol', 'strtoul']

/** e_machine and the first glibc version of the platform: what every plain libc function is exported under. */
const platforms = [
  { machine: 62, arch: 'x64', version: 'GLIBC_2.2.5' },
  { machine: 183, arch: 'arm64', version: 'GLIBC_2.17' },
]

/** A changed copy; the bytes given are left alone. Throws where the file is not what it is expected to be. */
export const withOlderLibc = (original: Uint8Array): Buffer => {
  const file = Buffer.from(original)
  const { version } = platformOf(file)
  const tables = tablesOf(file)
  const needs = versionNeedsOf(file, tables)
  const wanted = needs.find((need) => need.name === newName)
  if (!wanted) return file
  const base = needs.find((need) => need.file === wanted.file && need.name === version)
  if (!base) throw new Error(`${wanted.file} is not asked for ${version}`)
  for (const symbol of symbolsOf(file, tables)) {
    if (symbol.version !== wanted.index) continue
    const twin = twins.find((name) => symbol.name === prefix + name)
    if (!twin) throw new Error(`${symbol.name} has no twin before ${newName}`)
    file.writeUInt32LE(symbol.nameAt + prefix.length, symbol.offset)
  }
  // vna_hash and vna_name; the index stays, so the symbols' version entries need no change
  file.writeUInt32LE(base.hash, wanted.offset)
  file.writeUInt32LE(base.nameAt, wanted.offset + 8)
  return file
}

const platformOf = (file: Buffer) => {
  const isElf64LittleEndian = file.length > 64 && file.readUInt32BE(0) === 0x7f454c46 && file[4] === 2 && file[5] === 1
  const platform = isElf64LittleEndian && platforms.find(({ machine }) => machine === file.readUInt16LE(18))
  if (!platform) throw new Error('not a 64-bit Linux library of a known platform')
  return platform
}

type Section = { type: number; offset: number; size: number; entrySize: number; link: number }
type Tables = { names: Section; symbols: Section; versions: Section; needs: Section }

/** The four tables of dynamic linking, by section type: .dynsym, its .dynstr, .gnu.version and .gnu.version_r. */
const tablesOf = (file: Buffer): Tables => {
  const start = Number(file.readBigUInt64LE(40))
  const sections = Array.from({ length: file.readUInt16LE(60) }, (_, n) => sectionAt(file, start + n * 64))
  const ofType = (type: number) => {
    const found = sections.filter((section) => section.type === type)
    if (found.length !== 1) throw new Error(`${found.length} sections of type ${type}`)
    return found[0]!
  }
  const symbols = ofType(11)
  const names = sections[symbols.link]
  if (names?.type !== 3) throw new Error('no names for the dynamic symbols')
  return { names, symbols, versions: ofType(0x6fffffff), needs: ofType(0x6ffffffe) }
}

const sectionAt = (file: Buffer, at: number): Section => ({
  type: file.readUInt32LE(at + 4),
  offset: Number(file.readBigUInt64LE(at + 24)),
  size: Number(file.readBigUInt64LE(at + 32)),
  link: file.readUInt32LE(at + 40),
  entrySize: Number(file.readBigUInt64LE(at + 56)),
})

const nameOf = (file: Buffer, { names }: Tables, at: number): string => {
  if (at >= names.size) throw new Error('a name lies outside its table')
  return file.toString('latin1', names.offset + at, file.indexOf(0, names.offset + at))
}

const symbolsOf = (file: Buffer, tables: Tables) =>
  Array.from({ length: tables.symbols.size / 24 }, (_, n) => {
    const offset = tables.symbols.offset + n * 24
    const nameAt = file.readUInt32LE(offset)
    // the top bit only says whether the symbol is hidden
    const version = file.readUInt16LE(tables.versions.offset + n * 2) & 0x7fff
    return {
      offset,
      nameAt,
      version,
      get name() {
        return nameOf(file, tables, nameAt)
      },
    }
  })

type Need = { file: string; name: string; nameAt: number; hash: number; index: number; offset: number }

/** Every version asked of every library: a chain of libraries, each with a chain of versions. */
const versionNeedsOf = (file: Buffer, tables: Tables): Need[] => {
  const needs: Need[] = []
  let library = tables.needs.offset
  for (let next = -1; next !== 0; library += next) {
    let at = library + file.readUInt32LE(library + 8)
    for (let count = file.readUInt16LE(library + 2); count > 0; count -= 1) {
      const nameAt = file.readUInt32LE(at + 8)
      needs.push({
        file: nameOf(file, tables, file.readUInt32LE(library + 4)),
        name: nameOf(file, tables, nameAt),
        nameAt,
        hash: file.readUInt32LE(at),
        index: file.readUInt16LE(at + 6),
        offset: at,
      })
      at += file.readUInt32LE(at + 12)
    }
    next = file.readUInt32LE(library + 12)
  }
  return needs
}
