// A place in a list: the sort keys and id of the last gig seen, and what the list was made with,
// so that the next page continues the same order however the index and the settings have changed meanwhile.
import { createHash } from 'node:crypto'
import { EngineError, PINNED_MAX, QUERY_CHARS_MAX, type Ranking, type SearchQuery } from './index.ts'
import { QUERY_WORDS_MAX } from './embedded/plan.ts'

export type Cursor = {
  first: number
  second: number
  id: string
  /** Epoch ms that freshness is counted from. */
  asOf: number
  /** Which of the query's words are asked for, as bits, and which filters are not. */
  kept: number
  dropped: number
  ranking: Ranking
  /** Ids that stand first. */
  pinned: readonly string[]
  /** Of the query's words, in order. */
  weights: number[]
}

const CURSOR_CHARS_MAX = 4096
const FILTER_BITS_MAX = 2 ** 9

export function writeCursor(query: SearchQuery, cursor: Cursor): string {
  const { first, second, id, asOf, kept, dropped, ranking, pinned, weights } = cursor
  const { quality, freshness, freshnessDays } = ranking
  const numbers = [first, second, asOf, kept, dropped, quality, freshness, freshnessDays, ...weights]
  const content = [hashOf(query), id, pinned, ...numbers]
  return Buffer.from(JSON.stringify(content)).toString('base64url')
}

/** Throws 'bad_cursor' on what this engine did not write for this query. */
export function readCursor(query: SearchQuery, text: string): Cursor {
  const [hash, id, pinned, ...numbers] = parse(text)
  const isRight =
    hash === hashOf(query) &&
    typeof id === 'string' &&
    isPinned(pinned) &&
    numbers.length >= NUMBERS_MIN &&
    numbers.length <= NUMBERS_MIN + QUERY_WORDS_MAX &&
    numbers.every(isFiniteNumber)
  if (!isRight) throw badCursor()
  const [first, second, asOf, kept, dropped, quality, freshness, freshnessDays, ...weights] = numbers as unknown as [
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    number,
    ...number[],
  ]
  if (!isBits(kept, 2 ** QUERY_WORDS_MAX) || !isBits(dropped, FILTER_BITS_MAX)) throw badCursor()
  const ranking = { quality, freshness, freshnessDays }
  return { first, second, id, asOf, kept, dropped, ranking, pinned, weights }
}

const NUMBERS_MIN = 8
const isFiniteNumber = (value: unknown): value is number => Number.isFinite(value)
const isBits = (value: number, end: number) => Number.isInteger(value) && value >= 0 && value < end
const isPinned = (value: unknown): value is string[] =>
  Array.isArray(value) && value.length <= PINNED_MAX && value.every((id) => typeof id === 'string')
const badCursor = () => new EngineError('bad_cursor', 'this cursor does not belong to this search')

function parse(text: unknown): unknown[] {
  if (typeof text !== 'string' || text.length > CURSOR_CHARS_MAX || !/^[\w-]+$/.test(text)) return []
  try {
    const content: unknown = JSON.parse(Buffer.from(text, 'base64url').toString())
    return Array.isArray(content) ? content : []
  } catch {
    return []
  }
}

/** Of what decides which gigs are listed and in which order. */
function hashOf({ q = '', sort = 'relevance', filter = {}, loosen = 'words' }: SearchQuery): string {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined)
  const filters = given.sort(([left], [right]) => (left < right ? -1 : 1))
  const text = JSON.stringify([q.slice(0, QUERY_CHARS_MAX), sort, filters, loosen])
  return createHash('sha256').update(text).digest('base64url').slice(0, 12)
}
