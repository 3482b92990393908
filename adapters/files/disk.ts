// Files in a folder: `<dir>/ab/cd/<id>` is the bytes, `<id>.type` beside it the type. A file appears whole or not at all.

import { createHash, randomUUID } from 'node:crypto'
import { mkdir, open, readdir, readFile, rename, rm, stat } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { AdapterContext } from '../index.ts'
import { checkFile, FILE_BYTES_MAX, type Files, isFileId } from './index.ts'

export type DiskFilesOptions = { dir: string; log: AdapterContext['log'] }

/** A half-written file older than that has lost its writer. */
const ABANDONED_MS = 60 * 60 * 1_000

export const diskFiles = async ({ dir, log }: DiskFilesOptions): Promise<Files> => {
  const halfWritten = join(dir, 'tmp')
  await mkdir(halfWritten, { recursive: true })
  await sweep(halfWritten)

  const pathOf = (id: string): string => join(dir, id.slice(0, 2), id.slice(2, 4), id)

  const write = async (path: string, bytes: Uint8Array): Promise<void> => {
    const temporary = join(halfWritten, randomUUID())
    try {
      const file = await open(temporary, 'wx')
      try {
        await file.writeFile(bytes)
        await file.sync()
      } finally {
        await file.close()
      }
      await rename(temporary, path)
    } catch (error) {
      await rm(temporary, { force: true })
      throw error
    }
  }

  const read = async (id: string): Promise<{ bytes: Uint8Array; type: string } | null> => {
    const [bytes, type] = await Promise.all([readWhole(pathOf(id)), readWhole(`${pathOf(id)}.type`)])
    if (!bytes || !type) return null
    if (hashOf(bytes) === id) return { bytes, type: type.toString() }
    log.error('files: the bytes of a file are not what was stored', { id })
    return null
  }

  return {
    put: async (bytes, type) => {
      checkFile(bytes, type)
      const id = hashOf(bytes)
      const there = await read(id)
      if (there) return { id, type: there.type, bytes: bytes.length }
      const path = pathOf(id)
      const made = await mkdir(dirname(path), { recursive: true })
      // the type first: bytes without a type would be a file nobody can serve
      await write(`${path}.type`, Buffer.from(type))
      await write(path, bytes)
      await syncFolders(dirname(path), made === undefined ? dirname(path) : dir)
      return { id, type, bytes: bytes.length }
    },
    get: async (id) => (isFileId(id) ? read(id) : null),
    has: async (id) => isFileId(id) && (await stat(pathOf(id)).catch(gone)) !== false,
    remove: async (id) => {
      if (!isFileId(id)) return false
      const was = await rm(pathOf(id)).then(() => true, gone)
      await rm(`${pathOf(id)}.type`, { force: true })
      return was
    },
    close: async () => {},
  }
}

const hashOf = (bytes: Uint8Array): string => createHash('sha256').update(bytes).digest('hex')

const gone = (error: NodeJS.ErrnoException): false => {
  if (error.code === 'ENOENT') return false
  throw error
}

/** Null when there is none; something put in its place that is larger than any file is not read into memory. */
const readWhole = async (path: string): Promise<Buffer | null> => {
  const found = await stat(path).catch(gone)
  if (!found || found.size > FILE_BYTES_MAX) return null
  return (await readFile(path).catch(gone)) || null
}

/** A name is durable when its folder is: from the file's folder up to the one that was there before. */
const syncFolders = async (from: string, to: string): Promise<void> => {
  for (let folder = from; ; folder = dirname(folder)) {
    const handle = await open(folder, 'r').catch(notSupported)
    if (handle)
      await handle
        .sync()
        .catch(notSupported)
        .finally(() => handle.close())
    if (folder === to || folder === dirname(folder)) return
  }
}

/** Windows has no such thing as syncing a folder; there a rename is as durable as it gets. */
const notSupported = (error: NodeJS.ErrnoException): undefined => {
  if (process.platform !== 'win32') throw error
  return undefined
}

const sweep = async (folder: string): Promise<void> => {
  for (const name of await readdir(folder)) {
    const path = join(folder, name)
    const found = await stat(path).catch(gone)
    if (found && Date.now() - found.mtimeMs > ABANDONED_MS) await rm(path, { force: true })
  }
}
