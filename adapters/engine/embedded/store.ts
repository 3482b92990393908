// The collection on disk: one file per segment, never changed, and a manifest that names those that count.
// A file exists completely or not at all: written aside, forced to disk, renamed; the manifest last.
import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, type FileHandle } from 'node:fs/promises'
import { join } from 'node:path'
import { emptyCollection, partOf, type Collection, type Part, type SavedFile } from './collection.ts'
import { openSegment } from './segment.ts'

type Manifest = {
  format: number
  /** With each file, which of its gigs are gone: one bit per gig, base64, empty when none is. */
  segments: (SavedFile & { dead: string })[]
  removed: [id: string, version: number][]
}

const MANIFEST = 'manifest'
const MANIFEST_FORMAT = 1
const CHUNK_BYTES = 1024 * 1024
const HASH_CHARS = 64

/** What can't be read is left out, and the collection is marked damaged. Throws only when the folder can't be made. */
export async function loadCollection(dir: string, warn: (text: string) => void): Promise<Collection> {
  await mkdir(dir, { recursive: true })
  const collection = emptyCollection()
  const manifest = await readManifest(dir, (reason) => {
    collection.damaged = true
    warn(`search index: ${reason}`)
  })
  collection.removed = new Map(manifest?.removed)
  for (const saved of manifest?.segments ?? []) {
    try {
      collection.parts.push(await readPart(dir, saved))
    } catch (error) {
      collection.damaged = true
      warn(`search index: ${saved.name} is left out: ${error instanceof Error ? error.message : error}`)
    }
  }
  return collection
}

async function readManifest(dir: string, damaged: (reason: string) => void): Promise<Manifest | null> {
  try {
    const text = await readFile(join(dir, MANIFEST), 'utf8')
    const content = text.slice(HASH_CHARS + 1)
    if (text.slice(0, HASH_CHARS + 1) !== `${sha256(content)}\n`) throw new RangeError('its checksum does not match')
    const manifest = JSON.parse(content) as Manifest
    if (manifest.format !== MANIFEST_FORMAT) throw new RangeError(`its format is ${manifest.format}`)
    return manifest
  } catch (error) {
    const isMissing = error instanceof Error && 'code' in error && error.code === 'ENOENT'
    const isNew = isMissing && !(await readdir(dir)).some((name) => name.endsWith('.segment'))
    if (!isNew) damaged(isMissing ? 'the manifest is missing' : `the manifest is refused: ${error}`)
    return null
  }
}

async function readPart(dir: string, { dead, ...file }: SavedFile & { dead: string }): Promise<Part> {
  const buffer = new SharedArrayBuffer(file.bytes)
  const handle = await open(join(dir, file.name), 'r')
  try {
    if ((await handle.stat()).size !== file.bytes) throw new RangeError('its size does not match')
    const read = await readInto(handle, new Uint8Array(buffer))
    if (read !== file.sha256) throw new RangeError('its checksum does not match')
  } finally {
    await handle.close()
  }
  const part = partOf(openSegment(buffer), file)
  const bits = Buffer.from(dead, 'base64')
  for (let gig = 0; gig < part.dead.length; gig++) {
    if (((bits[gig >>> 3] ?? 0) >>> (gig & 7)) & 1) {
      part.dead[gig] = 1
      part.living -= 1
    }
  }
  return part
}

async function readInto(handle: FileHandle, target: Uint8Array): Promise<string> {
  const hash = createHash('sha256')
  const chunk = Buffer.allocUnsafe(Math.min(CHUNK_BYTES, target.length))
  for (let at = 0; at < target.length;) {
    const { bytesRead } = await handle.read(chunk, 0, Math.min(chunk.length, target.length - at), at)
    if (bytesRead === 0) break
    const read = chunk.subarray(0, bytesRead)
    hash.update(read)
    target.set(read, at)
    at += bytesRead
  }
  return hash.digest('hex')
}

/** Saves the collection as it is now; changes made meanwhile are for the next call. One call at a time. */
export async function saveCollection(dir: string, collection: Collection) {
  const parts = [...collection.parts]
  const dead = parts.map(packDead)
  const removed = [...collection.removed]
  const segments: Manifest['segments'] = []
  for (const [at, part] of parts.entries()) {
    part.file ??= await writeSegment(dir, part)
    segments.push({ ...part.file, dead: dead[at]! })
  }
  const content = JSON.stringify({ format: MANIFEST_FORMAT, segments, removed } satisfies Manifest)
  await writeAside(join(dir, MANIFEST), async (handle) => {
    await handle.writeFile(`${sha256(content)}\n${content}`)
  })
  await sync(dir)
  await removeOthers(dir, new Set(segments.map((segment) => segment.name)))
}

async function writeSegment(dir: string, part: Part): Promise<SavedFile> {
  const bytes = new Uint8Array(part.segment.buffer)
  const name = `${randomUUID()}.segment`
  const hash = createHash('sha256')
  await writeAside(join(dir, name), async (handle) => {
    for (let at = 0; at < bytes.length; at += CHUNK_BYTES) {
      const chunk = Buffer.from(bytes.slice(at, at + CHUNK_BYTES))
      hash.update(chunk)
      for (let done = 0; done < chunk.length;) done += (await handle.write(chunk, done)).bytesWritten
    }
  })
  return { name, bytes: bytes.length, sha256: hash.digest('hex') }
}

async function writeAside(path: string, write: (handle: FileHandle) => Promise<void>) {
  const aside = `${path}.tmp`
  const handle = await open(aside, 'w')
  try {
    await write(handle)
    await handle.sync()
  } finally {
    await handle.close()
  }
  await rename(aside, path)
}

/** A rename is on disk when its folder is. */
async function sync(dir: string) {
  const handle = await open(dir, 'r')
  try {
    await handle.sync()
  } catch (error) {
    // Some systems can't force a folder to disk; the rename is atomic there all the same.
    const code = error instanceof Error && 'code' in error ? String(error.code) : ''
    if (!['EPERM', 'EINVAL', 'EISDIR'].includes(code)) throw error
  } finally {
    await handle.close()
  }
}

async function removeOthers(dir: string, kept: ReadonlySet<string>) {
  for (const name of await readdir(dir)) {
    const isOurs = name.endsWith('.segment') || name.endsWith('.tmp')
    if (isOurs && !kept.has(name)) await rm(join(dir, name), { force: true })
  }
}

function packDead(part: Part): string {
  if (part.living === part.segment.gigs) return ''
  const bits = Buffer.alloc(Math.ceil(part.dead.length / 8))
  part.dead.forEach((dead, gig) => {
    if (dead === 1) bits[gig >>> 3]! |= 1 << (gig & 7)
  })
  return bits.toString('base64')
}

const sha256 = (text: string) => createHash('sha256').update(text).digest('hex')
