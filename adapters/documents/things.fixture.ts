// The documents that the suites of the port are about, and the way a suite says what it expects.
import { randomUUID } from 'node:crypto'
import type { ExecutionContext } from 'ava'
import { DocumentsError, collection } from './index.ts'
import type { Collection, Doc, Documents, Found, Index, Query } from './index.ts'

export type Thing = Doc & { kind?: string | null; rank?: string | number | null; mail?: string; note?: unknown }
export type Product = { name: string; documents: () => Documents }
/** AVA's `test` or `test.serial`. */
export type Run = (title: string, act: (t: ExecutionContext) => Promise<void>) => void
export type Declare = (indexes?: Record<string, Index>) => Promise<Collection<Thing>>
export type Scene = (t: ExecutionContext, documents: Documents, declare: Declare) => Promise<void>

const INDEXES = {
  byKind: { keys: ['kind'] },
  byRank: { keys: ['kind', 'rank'] },
  byMail: { keys: ['mail'], unique: true },
} satisfies Record<string, Index>

export const thing = (id: string, rest: Omit<Thing, 'id' | 'version'> = {}): Thing => ({ id, version: 1, ...rest })

/** Each test of a suite has a collection of its own in one store. */
export const scenes =
  (test: Run, product: Product) =>
  (title: string, act: Scene): void =>
    test(`${product.name}: ${title}`, (t) =>
      act(t, product.documents(), (indexes) => declareThings(product.documents(), indexes)))

export const declareThings = async (
  documents: Documents,
  indexes: Record<string, Index> = INDEXES,
): Promise<Collection<Thing>> => {
  const things = collection<Thing>(`things-${randomUUID()}`, indexes)
  await documents.declare([things])
  return things
}

/** All pages of a query, by its cursors. */
export const readAll = async (documents: Documents, of: Collection<Thing>, query: Query): Promise<Thing[]> => {
  const all: Thing[] = []
  let cursor: string | null = query.cursor ?? null
  do {
    const page: Found<Thing> = await documents.find(of, { ...query, cursor })
    all.push(...page.docs)
    cursor = page.next
  } while (cursor !== null)
  return all
}

/** What a store was too busy to take was not done, and is asked again. */
export const patient = async <T>(act: () => Promise<T>): Promise<T> => {
  for (let tries = 0; ; tries += 1) {
    try {
      return await act()
    } catch (error) {
      if (!(error instanceof DocumentsError) || error.code !== 'store_busy' || tries > 20) throw error
    }
  }
}

export const refused = async (t: ExecutionContext, code: DocumentsError['code'], act: () => Promise<unknown>) => {
  const error = await t.throwsAsync(act, { instanceOf: DocumentsError })
  t.is(error?.code, code)
}
