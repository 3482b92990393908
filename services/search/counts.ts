// How many live gigs each place of the tree has. One question to the engine while it can count all subcategories in one
// answer; past that one for each category, so that the tree's own are never crowded out by those sellers made up.
import type { Engine } from '../../adapters/engine/index.ts'
import { CATEGORIES } from '../gig/contract.ts'
import type { Counts } from './tree.ts'

/** Values of one facet the engine counts: the most frequent. */
const FACET_VALUES_MAX = 100

export const placeCounts = async (
  engine: Pick<Engine, 'search'>,
): Promise<{ category?: Counts; subcategory?: Counts }> => {
  const { facets } = await engine.search({ facets: ['category', 'subcategory'], limit: 1 })
  if (Object.keys(facets.subcategory ?? {}).length < FACET_VALUES_MAX) return facets
  const each = await Promise.all(
    CATEGORIES.map(({ slug }) => engine.search({ filter: { category: slug }, facets: ['subcategory'], limit: 1 })),
  )
  return { ...facets, subcategory: Object.assign({}, ...each.map((one) => one.facets.subcategory)) as Counts }
}
