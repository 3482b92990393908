// The categories with their live counts, and those a half-typed word may mean. Pure.
import { CATEGORIES } from '../gig/contract.ts'
import type { Category } from './contract.ts'

export type Counts = Record<string, number>

export const treeWith = (counts: { category?: Counts; subcategory?: Counts }): Category[] =>
  CATEGORIES.map(({ slug, name, subcategories }) => ({
    slug, name, gigs: counts.category?.[slug] ?? 0,
    subcategories: subcategories.map((under) => ({ slug: under.slug, name: under.name, gigs: counts.subcategory?.[under.slug] ?? 0 })),
  }))

export type Place = { text: string; path: string }

const PLACES: readonly Place[] = CATEGORIES.flatMap(({ slug, name, subcategories }) => [
  { text: name, path: slug },
  ...subcategories.map((under) => ({ text: under.name, path: `${slug}/${under.slug}` })),
])

/** Places with a word that starts like what was typed, or whose name does; wide ones first. */
export const placesLike = (typed: string, most: number): Place[] => {
  const start = typed.trim().toLowerCase()
  if (start === '') return []
  const fits = ({ text }: Place) => {
    const name = text.toLowerCase()
    return name.startsWith(start) || name.split(/[^\p{L}\p{N}]+/u).some((word) => word.startsWith(start))
  }
  return PLACES.filter(fits).sort((one, other) => one.path.split('/').length - other.path.split('/').length).slice(0, most)
}
