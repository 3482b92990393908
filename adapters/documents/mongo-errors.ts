// What MongoDB's errors mean to a caller of the port. Pure.
import { DocumentsError } from './index.ts'

/** Names and codes are those of MongoDB's driver and server. */
type MongoError = {
  name?: string
  message?: string
  errmsg?: string
  code?: number | string
  index?: number
  writeErrors?: MongoError | MongoError[]
  result?: { getWriteConcernError?(): unknown }
}

const DUPLICATE_KEY = 11_000
const CODES: Record<number, DocumentsError['code']> = {
  14_031: 'store_full', // OutOfDiskSpace
  85: 'bad_query', // an index of that name with other options
  86: 'bad_query', // an index of that name with other keys
  11_000: 'bad_query', // a new unique index over data that has duplicates
  10_334: 'document_too_large',
}
const BUSY = /WaitQueueTimeout/

export const documentsErrorOf = (error: unknown): DocumentsError => {
  if (error instanceof DocumentsError) return error
  const { name = '', message = '', code } = error as MongoError
  if (BUSY.test(name)) return new DocumentsError('store_busy', message)
  return new DocumentsError(CODES[Number(code)] ?? 'store_down', message)
}

/**
 * The declared name of the unique index that refused a write, 'id' for the document's own; null for any other error.
 */
export const duplicateIndexOf = (error: unknown): string | null => {
  const { code, message, errmsg } = error as MongoError
  if (code !== DUPLICATE_KEY) return null
  const name = /index: (?:\S+\.\$)?(\S+) dup key/.exec(errmsg ?? message ?? '')?.[1]
  return name === undefined ? null : name === '_id_' ? 'id' : name
}

/**
 * Which documents of a bulk were refused as duplicates, and by what. Anything else that went wrong is
 * thrown.
 */
export const duplicatesOf = (error: unknown): Map<number, string> => {
  const { writeErrors, result } = error as MongoError
  const list = writeErrors === undefined ? [] : Array.isArray(writeErrors) ? writeErrors : [writeErrors]
  const duplicates = new Map<number, string>()
  for (const one of list) {
    const conflict = duplicateIndexOf(one)
    if (conflict === null || one.index === undefined) throw documentsErrorOf(one)
    duplicates.set(one.index, conflict)
  }
  // Without the journal of a majority nothing of the bulk may be called stored.
  if (duplicates.size === 0 || result?.getWriteConcernError?.()) throw documentsErrorOf(error)
  return duplicates
}
