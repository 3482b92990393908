// What may be stored, checked once for every product before anything is sent. Pure.
import { BULK_MAX, DOCUMENT_BYTES_MAX, DocumentsError } from './index.ts'
import type { Collection, Doc } from './index.ts'
import { isKey } from './query.ts'

/** Characters of an id, and of a text that is a key of an index. */
export const ID_CHARS_MAX = 1024
export const KEY_CHARS_MAX = 4096

const COLLECTION_NAME = /^[a-z][a-z0-9_-]{0,47}$/
const INDEX_NAME = /^[A-Za-z][A-Za-z0-9_]{0,47}$/
const KEY_NAME = /^[A-Za-z][A-Za-z0-9_]{0,47}$/
/** Outcomes of a write that are not indexes. */
const RESERVED = new Set(['id', 'stale'])

/** A declaration that any product can make real; throws at what none could. */
export const checkCollection = (of: Collection): void => {
  refuseUnless(
    COLLECTION_NAME.test(of.name) && !of.name.startsWith('sqlite_'),
    `${of.name} is no name for a collection`,
  )
  const keys = Object.values(of.indexes).flatMap((index) => [...index.keys])
  refuseUnless(caseSafe(Object.keys(of.indexes)) && caseSafe(new Set(keys)), `names in ${of.name} differ only by case`)
  for (const [name, { keys }] of Object.entries(of.indexes)) {
    refuseUnless(INDEX_NAME.test(name) && !RESERVED.has(name), `${of.name}.${name} is no name for an index`)
    refuseUnless(
      keys.length > 0 && new Set(keys).size === keys.length,
      `index ${of.name}.${name} must name its keys, once each`,
    )
    for (const key of keys)
      refuseUnless(KEY_NAME.test(key) && key !== 'id', `${key} can be no key of ${of.name}.${name}`)
  }
}

/** The fields that any index of the collection names. */
export const keysOf = (of: Collection): string[] => [
  ...new Set(Object.values(of.indexes).flatMap((index) => [...index.keys])),
]

/** The document as JSON text, after every check. `keys` are the collection's indexed fields. */
export const encodeDocument = (doc: Doc, keys: readonly string[]): string => {
  checkId(doc.id)
  if (!Number.isSafeInteger(doc.version) || doc.version < 1)
    throw bad(`version of ${doc.id} must be a whole number from 1`)
  for (const key of keys) checkKey(doc, key)
  const text = JSON.stringify(doc)
  // A character is at most three bytes here, so short texts need no counting.
  if (text.length * 3 > DOCUMENT_BYTES_MAX && Buffer.byteLength(text) > DOCUMENT_BYTES_MAX) {
    throw new DocumentsError(
      'document_too_large',
      `document ${doc.id} has more than ${DOCUMENT_BYTES_MAX} bytes of JSON`,
    )
  }
  return text
}

export const checkId = (id: string): void => {
  if (typeof id === 'string' && id !== '' && id.length <= ID_CHARS_MAX && id.isWellFormed()) return
  throw bad(`an id must be well-formed text of 1 to ${ID_CHARS_MAX} characters`)
}

export const checkNext = (doc: Doc, ifVersion: number): void => {
  if (doc.version !== ifVersion + 1)
    throw bad(`document ${doc.id} replaces version ${ifVersion}, so its version must be one more`)
}

export const checkBulk = (list: readonly unknown[]): void => {
  if (list.length > BULK_MAX) throw new DocumentsError('bad_query', `one call takes ${BULK_MAX} documents at most`)
}

const checkKey = (doc: Doc, key: string): void => {
  const value = (doc as unknown as Record<string, unknown>)[key]
  if (value === undefined || value === null) return
  if (!isKey(value) || (typeof value === 'string' && value.length > KEY_CHARS_MAX)) {
    throw bad(
      `indexed ${key} of ${doc.id} must be an exact number or well-formed text up to ${KEY_CHARS_MAX} characters`,
    )
  }
}

const caseSafe = (names: Iterable<string>): boolean => {
  const list = [...names]
  return new Set(list.map((name) => name.toLowerCase())).size === list.length
}

const refuseUnless = (holds: boolean, message: string): void => {
  if (!holds) throw new DocumentsError('bad_query', message)
}

const bad = (message: string): DocumentsError => new DocumentsError('bad_document', message)
