// The categories with their live counts, and those a half-typed word may mean. Pure.
import { CATEGORIES } from '../gig/contract.ts'
import type { Category } from './contract.ts'

export type Counts = Record<string, number>

/** Categories of the sellers' own making that the tree shows, the fullest first. */
const OTHERS_MAX = 50

/** The market's own tree, then what sellers offer outside of it. */
export const treeWith = (counts: { category?: Counts; subcategory?: Counts }): Category[] => {
  const known = CATEGORIES.map(({ slug, name, subcategories }) => ({
    slug,
    name,
    gigs: counts.category?.[slug] ?? 0,
    subcategories: subcategories.map((under) => ({
      slug: under.slug,
      name: under.name,
      gigs: counts.subcategory?.[under.slug] ?? 0,
    })),
  }))
  const others = Object.entries(counts.category ?? {}).filter(
    ([slug]) => slug !== '' && !CATEGORIES.some((one) => one.slug === slug),
  )
  const fullest = others.sort(([, one], [, other]) => other - one).slice(0, OTHERS_MAX)
  return [
    ...known,
    ...fullest.map(([slug, gigs]) => ({ slug, name: slug.replaceAll('-', ' '), gigs, subcategories: [] })),
  ]
}

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
  return PLACES.filter(fits)
    .sort((one, other) => one.path.split('/').length - other.path.split('/').length)
    .slice(0, most)
}
