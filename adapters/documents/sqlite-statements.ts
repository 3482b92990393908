// The SQL that a collection and a query come to. One table per collection: id, version and the document as JSON text;
// every indexed field is a virtual column over that text, so an index added later needs no rewriting of rows. Pure.
import { keysOf } from './document.ts'
import type { Collection, Index } from './index.ts'
import type { Plan } from './query.ts'

export type SqlValue = string | number
/** A statement as it travels to a worker. Reads select one column named `value`. */
export type Statement = {
  sql: string
  params: SqlValue[]
  /** Only if the one before it changed a row. */ follows?: true
}

/** What `declare` needs of one collection: columns to have, indexes to have. */
export type TableSchema = {
  table: string
  create: string
  columns: { name: string; add: string }[]
  indexes: { name: string; create: string }[]
}

const COLUMNS = 'id TEXT PRIMARY KEY NOT NULL, version INTEGER NOT NULL, doc TEXT NOT NULL'

export const tableSchema = (of: Collection): TableSchema => ({
  table: of.name,
  create: `CREATE TABLE IF NOT EXISTS "${of.name}" (${COLUMNS})`,
  columns: keysOf(of).map((key) => ({
    name: `key_${key}`,
    add: `ALTER TABLE "${of.name}" ADD COLUMN ${column(key)} GENERATED ALWAYS AS (doc ->> '$.${key}') VIRTUAL`,
  })),
  indexes: Object.entries(of.indexes).map(([name, index]) => ({
    name: indexName(of.name, name),
    create: indexSql(of.name, name, index),
  })),
})

/** Conflict texts of SQLite name columns; this finds the declared index again. */
export const conflictNames = (of: Collection): Map<string, string> =>
  new Map([
    [`${of.name}.id`, 'id'],
    ...Object.entries(of.indexes)
      .filter(([, index]) => index.unique)
      .map(([name, { keys }]) => [keys.map((key) => `${of.name}.key_${key}`).join(', '), name] as const),
  ])

/**
 * No row changes when the id is taken; another unique index in the way is an error of SQLite that names its columns.
 */
export const insertSql = (name: string): string =>
  `INSERT INTO "${name}" (id, version, doc) VALUES (?, ?, ?) ON CONFLICT (id) DO NOTHING`
export const replaceSql = (name: string): string =>
  `UPDATE "${name}" SET version = ?, doc = ? WHERE id = ? AND version = ?`
export const removeSql = (name: string, conditional: boolean): string =>
  `DELETE FROM "${name}" WHERE id = ?${conditional ? ' AND version = ?' : ''}`
/** Rows ever made times what the latest take: neither walks the table. What was removed still counts. */
export const sizeSql = (name: string): string =>
  `SELECT ifnull(max(rowid), 0) * ifnull((SELECT avg(octet_length(doc)) FROM (SELECT doc FROM "${name}" ORDER BY rowid DESC LIMIT ${SIZE_SAMPLE})), 0) AS value FROM "${name}"`
const SIZE_SAMPLE = 100
export const getSql = (name: string): string => `SELECT doc AS value FROM "${name}" WHERE id = ?`
export const scanSql = (name: string, after: boolean): string =>
  `SELECT doc AS value FROM "${name}"${after ? ' WHERE id > ?' : ''} ORDER BY id LIMIT ?`

/** One document more than the page holds, so that the last page knows it is the last. */
export const findStatement = (of: Collection, plan: Plan): Statement => {
  const { where, params } = condition(plan)
  const order = plan.orderedBy.map((key) => `${column(key)} ${plan.order}`).join(', ')
  const sql = `SELECT doc AS value ${from(of, plan)} WHERE ${where}${order === '' ? '' : ` ORDER BY ${order}`} LIMIT ?`
  return { sql, params: [...params, plan.limit + 1] }
}

export const countStatement = (of: Collection, plan: Plan): Statement => {
  const { where, params } = condition(plan)
  return { sql: `SELECT count(*) AS value ${from(of, plan)} WHERE ${where}`, params }
}

/** INDEXED BY makes a query that could not use its index an error instead of a silent walk over the table. */
const from = (of: Collection, plan: Plan): string => `FROM "${of.name}" INDEXED BY ${indexName(of.name, plan.name)}`

const condition = ({ index, equals, range, order, orderedBy, after }: Plan): { where: string; params: SqlValue[] } => {
  const terms = index.keys.map((key) => `${column(key)} IS NOT NULL`)
  const params: SqlValue[] = []
  const add = (term: string, ...values: SqlValue[]) => {
    terms.push(term)
    params.push(...values)
  }
  for (const [key, value] of equals) add(`${column(key)} = ?`, value)
  // A cursor stands for the bound on its side: given both, SQLite would walk to the cursor from the bound, page after
  // page.
  const paged = after !== null && after.length > 0
  if (range?.from !== undefined && !(paged && order === 'asc')) add(`${column(range.key)} >= ?`, range.from)
  if (range?.to !== undefined && !(paged && order === 'desc')) add(`${column(range.key)} <= ?`, range.to)
  if (paged) {
    const marks = after.map(() => '?').join(', ')
    add(`(${orderedBy.map(column).join(', ')}) ${order === 'asc' ? '>' : '<'} (${marks})`, ...after)
  }
  return { where: terms.join(' AND '), params }
}

const indexSql = (table: string, name: string, index: Index): string => {
  const columns = [...index.keys, ...(index.unique ? [] : ['id'])].map(column).join(', ')
  const present = index.keys.map((key) => `${column(key)} IS NOT NULL`).join(' AND ')
  const kind = index.unique ? 'UNIQUE INDEX' : 'INDEX'
  return `CREATE ${kind} ${indexName(table, name)} ON "${table}" (${columns}) WHERE ${present}`
}

const indexName = (table: string, name: string): string => `"${table}.${name}"`
const column = (key: string): string => (key === 'id' ? 'id' : `key_${key}`)
