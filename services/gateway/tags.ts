// What a prepared answer stands on, by action. A notice names what has changed: one of an answer's tags ends it at once;
// something it shows that is gone, or one of its generations, makes it be made again within half a second. Shared caches get
// the same names.
import { ANNOUNCEMENTS } from '../topic.ts'
import type { Params } from './body.ts'

export type Standing = {
  tags: readonly string[]
  generations: readonly string[]
  /** That it is not there is remembered for a moment, until something is said of this tag. */
  absence?: string
  /** Tags that come with what the answer shows. */
  shows?(result: unknown): readonly string[]
}

const STANDINGS: Readonly<Record<string, (params: Params) => Partial<Standing>>> = {
  'gig.get': ({ id }) => ({ tags: [`gone:${id}`], generations: [`gig:${id}`], absence: `gig:${id}` }),
  'announcement.list': () => ({ tags: [ANNOUNCEMENTS] }),
  'review.ofGig': ({ id }) => ({ tags: [`gig:${id}`, `reviews:${id}`] }),
  'account.profile': ({ username }) => ({ tags: [userTag(username)] }),
  'gig.ofUser': ({ username }) => ({ tags: [userTag(username)], shows: gigsIn }),
  'search.gigs': ({ category }) => ({
    generations: [typeof category === 'string' ? `category:${category}` : 'search', 'tuning'],
    shows: gigsIn,
  }),
  'search.suggest': () => ({ generations: ['search'] }),
  'search.similar': ({ id }) => ({ tags: [`gig:${id}`], generations: ['search'], shows: gigsIn }),
  'search.categories': () => ({ generations: ['categories'] }),
}

/** What shared caches are told of: whatever ends by being gone has another name for that. */
export const namesOf = ({ tags, generations }: Pick<Standing, 'tags' | 'generations'>): string[] =>
  [...tags, ...generations].filter((name) => !name.startsWith('gone:'))

/** An action without an entry is ended by time alone. */
export const standingOf = (name: string, params: Params): Standing => ({
  tags: [],
  generations: [],
  ...STANDINGS[name]?.(params),
})

const userTag = (username: unknown): string => `user:${String(username).toLowerCase()}`

const gigsIn = (result: unknown): string[] => (result as { data: { id: string }[] }).data.map(({ id }) => `gone:${id}`)
