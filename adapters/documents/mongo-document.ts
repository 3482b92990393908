// How a document lies in MongoDB: its own fields under `_id`, so that people and tools can read it there. The few whose
// JSON BSON or an operator could read differently (`$` or `.` in names, `__proto__`, half surrogates, great depth or
// size) are kept as text beside their version and indexable fields, and come back exactly the same. Pure.
import type { Doc } from './index.ts'
import { isKey } from './query.ts'

export type Stored = { _id: string; version: number; _text?: string; [field: string]: unknown }

/** Many small values take more room in BSON than in JSON; MongoDB's limit is 16 MiB of BSON and 100 levels. */
const PLAIN_CHARS_MAX = 1024 * 1024
const PLAIN_DEPTH_MAX = 50
const ODD_NAME = /^(?:__proto__|_bsontype|toBSON)$|^\$|[.\0]/

/** `text` is the document's JSON, made when it was checked. */
export const toStored = (doc: Doc, text: string): Stored => {
  const { id, version, ...fields } = doc as Doc & Record<string, unknown>
  const names = Object.keys(fields)
  if (text.length <= PLAIN_CHARS_MAX && !names.some((name) => name.startsWith('_')) && isPlain(fields, 1)) {
    return { _id: id, version, ...fields }
  }
  const keys = names.filter((name) => /^[A-Za-z]\w*$/.test(name) && isKey(fields[name]))
  return { _id: id, version, ...Object.fromEntries(keys.map((name) => [name, fields[name]])), _text: text }
}

export const fromStored = <T extends Doc>({ _id, _text, ...fields }: Stored): T =>
  (_text === undefined ? { id: _id, ...fields } : JSON.parse(_text)) as T

/** Whether BSON gives back exactly what JSON would. */
const isPlain = (value: unknown, depth: number): boolean => {
  if (typeof value === 'string') return value.isWellFormed()
  if (typeof value === 'number') return Number.isFinite(value) && !Object.is(value, -0)
  if (typeof value === 'boolean' || value === null) return true
  if (typeof value !== 'object' || depth > PLAIN_DEPTH_MAX) return false
  if (Array.isArray(value)) return value.every((item) => isPlain(item, depth + 1)) && !value.includes(undefined)
  if (Object.getPrototypeOf(value) !== Object.prototype) return false
  return Object.entries(value).every(
    // A field that is undefined is left out, in BSON as in JSON.
    ([name, field]) =>
      name.isWellFormed() && !ODD_NAME.test(name) && (field === undefined || isPlain(field, depth + 1)),
  )
}
