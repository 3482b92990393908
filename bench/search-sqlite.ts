// What SQLite's FTS5 takes for the same questions, in this thread, without typing errors, other forms and loosening:
// the comparison that is always there.
import { DatabaseSync } from 'node:sqlite'
import type { IndexedGig, SearchQuery } from '../adapters/engine/index.ts'

export type SqliteSearch = {
  index(gigs: readonly IndexedGig[]): void
  search(query: SearchQuery): { total: number }
  bytes(): number
  close(): void
}

const ORDERS: Readonly<Record<string, string>> = { price: 'g.price', rating: 'g.rating desc', newest: 'g.created desc' }
const FACETS = ['category', 'subcategory', 'level', 'language'] as const
const PAGE = 24

export const openSqliteSearch = (file: string): SqliteSearch => {
  const db = new DatabaseSync(file)
  db.exec(`pragma journal_mode = wal; pragma synchronous = normal; pragma cache_size = -200000;
    create table gigs(n integer primary key, id text, category text, subcategory text, level text, language text,
      price int, days int, rating real, created int);
    create virtual table words using fts5(title, tags, about, description, content='', tokenize='unicode61 remove_diacritics 2')`)
  const gig = db.prepare('insert into gigs values (?, ?, ?, ?, ?, ?, ?, ?, ?, ?)')
  const text = db.prepare('insert into words(rowid, title, tags, about, description) values (?, ?, ?, ?, ?)')
  let numbered = 0
  return {
    index(gigs) {
      db.exec('begin')
      for (const one of gigs) {
        const n = ++numbered
        const { id, category, subcategory, sellerLevel, languages, price, deliveryDays, rating, createdAt } = one
        gig.run(n, id, category, subcategory, sellerLevel, languages[0]!, price, deliveryDays, rating, createdAt)
        text.run(n, one.title, one.tags.join(' , '), `${one.category} ${one.subcategory}`, one.description)
      }
      db.exec('commit')
    },
    search({ q = '', filter = {}, sort = 'relevance', facets = [] }) {
      const { conditions, values } = where(q, filter)
      const from = `from ${q ? 'words w join gigs g on g.n = w.rowid' : 'gigs g'} ${conditions}`
      const order = ORDERS[sort] ?? (q ? 'bm25(words, 4, 2, 1, 0.4)' : 'g.rating desc')
      db.prepare(`select g.id ${from} order by ${order} limit ${PAGE}`).all(...values)
      for (const facet of facets.length > 0 ? FACETS : [])
        db.prepare(`select g.${facet}, count(*) ${from} group by 1`).all(...values)
      if (facets.includes('price')) db.prepare(`select min(g.price), max(g.price) ${from}`).get(...values)
      return { total: Number(db.prepare(`select count(*) as n ${from}`).get(...values)!['n']) }
    },
    bytes: () =>
      Number(db.prepare('select page_count * page_size as n from pragma_page_count, pragma_page_size').get()!['n']),
    close: () => db.close(),
  }
}

const where = (q: string, { category, maxPrice, deliveryDays }: NonNullable<SearchQuery['filter']>) => {
  const words = q.trim().split(' ').filter(Boolean)
  const match = words.map((word, at) => `"${word}"${at === words.length - 1 ? '*' : ''}`).join(' AND ')
  const wanted: [string, string | number][] = [
    ...(match ? [['words match ?', match] as [string, string]] : []),
    ...(category ? [['g.category = ?', category] as [string, string]] : []),
    ...(maxPrice ? [['g.price <= ?', maxPrice] as [string, number]] : []),
    ...(deliveryDays ? [['g.days <= ?', deliveryDays] as [string, number]] : []),
  ]
  return {
    conditions: wanted.length > 0 ? `where ${wanted.map(([condition]) => condition).join(' and ')}` : '',
    values: wanted.map(([, value]) => value),
  }
}
