// A place in a list: the sort keys and id of the last gig seen, and what its scores were computed with,
// so that the next page continues the same order however the index has changed meanwhile.
import { createHash } from 'node:crypto'
import { EngineError, QUERY_CHARS_MAX, type SearchQuery } from '../index.ts'
import type { Mode } from './match.ts'
import { QUERY_WORDS_MAX } from './plan.ts'

export type Cursor = {
  first: number
  second: number
  id: string
  /** Epoch ms that freshness is counted from. */
  asOf: number
  mode: Mode
  /** Of the query's words, in order. */
  weights: number[]
}

const CURSOR_CHARS_MAX = 4096
const MODES: readonly Mode[] = ['all', 'any']

export function writeCursor(query: SearchQuery, cursor: Cursor): string {
  const { first, second, id, asOf, mode, weights } = cursor
  const content = [hashOf(query), first, second, id, asOf, MODES.indexOf(mode), ...weights]
  return Buffer.from(JSON.stringify(content)).toString('base64url')
}

/** Throws 'bad_cursor' on what this engine did not write for this query. */
export function readCursor(query: SearchQuery, text: string): Cursor {
  const content = parse(text)
  const [hash, first, second, id, asOf, modeNumber, ...weights] = content
  const mode = MODES[Number(modeNumber)]
  const right =
    hash === hashOf(query) &&
    typeof id === 'string' &&
    mode !== undefined &&
    [first, second, asOf, ...weights].every(Number.isFinite) &&
    weights.length <= QUERY_WORDS_MAX
  if (!right) throw new EngineError('bad_cursor', 'this cursor does not belong to this search')
  return { first: Number(first), second: Number(second), id, asOf: Number(asOf), mode, weights: weights.map(Number) }
}

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
function hashOf({ q = '', sort = 'relevance', filter = {} }: SearchQuery): string {
  const given = Object.entries(filter).filter(([, value]) => value !== undefined)
  const filters = given.sort(([left], [right]) => (left < right ? -1 : 1))
  const text = JSON.stringify([q.slice(0, QUERY_CHARS_MAX), sort, filters])
  return createHash('sha256').update(text).digest('base64url').slice(0, 12)
}
