// Which gigs are like one: each telling word of it is looked up among its neighbours, and who stands high in many of
// these lists is like it (reciprocal rank fusion). Pure.
import type { SearchQuery } from '../../adapters/engine/index.ts'
import type { GigCard } from '../gig/contract.ts'

export const SIMILAR_MAX = 12
/** Telling words looked up; each is one small search. */
const WORDS_MAX = 5
const WORD_LENGTH_MIN = 4
const LOOKED_AT = 30
/** Dampens the first ranks, as usual for this fusion. */
const RANK_DAMPING = 60

const COMMON = new Set([
  'will',
  'with',
  'your',
  'from',
  'that',
  'this',
  'make',
  'give',
  'have',
  'best',
  'create',
  'professional',
  'high',
  'quality',
])

/** The last one has no words: the best of the neighbourhood, for when words find too few. */
export const similarQueries = ({ title, tags, category, subcategory }: GigCard): SearchQuery[] => {
  const words = title
    .toLowerCase()
    .split(/[^\p{L}\p{N}+#]+/u)
    .filter((word) => word.length >= WORD_LENGTH_MIN && !COMMON.has(word))
  const telling = [...new Set([...tags.map((tag) => tag.toLowerCase()), ...words])].slice(0, WORDS_MAX)
  return [...telling.map((q) => ({ q })), {}].map((query) => ({
    ...query,
    filter: { category, subcategory },
    limit: LOOKED_AT,
  }))
}

export const fused = (lists: readonly (readonly string[])[], without: string): string[] => {
  const scores = new Map<string, number>()
  for (const list of lists)
    list.forEach((id, rank) => scores.set(id, (scores.get(id) ?? 0) + 1 / (RANK_DAMPING + rank)))
  scores.delete(without)
  return [...scores]
    .sort(([oneId, one], [otherId, other]) => other - one || (oneId < otherId ? -1 : 1))
    .slice(0, SIMILAR_MAX)
    .map(([id]) => id)
}
