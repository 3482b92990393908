// What a prepared answer stands on, by action: a notice that names one of these ends it.
import { ANNOUNCEMENTS } from '../topic.ts'
import type { Params } from './body.ts'

type Tags = (params: Params) => readonly string[]

const TAGS: Readonly<Record<string, Tags>> = {
  'gig.get': ({ id }) => [`gig:${id}`],
  'announcement.list': () => [ANNOUNCEMENTS],
  'review.ofGig': ({ id }) => [`gig:${id}`, `reviews:${id}`],
  'account.profile': ({ username }) => [`user:${String(username).toLowerCase()}`],
  'gig.ofUser': ({ username }) => [`user:${String(username).toLowerCase()}`],
  'search.gigs': ({ category }) => (typeof category === 'string' ? ['search', `category:${category}`] : ['search']),
  'search.suggest': () => ['search'],
  'search.similar': ({ id }) => ['search', `gig:${id}`],
  'search.categories': () => ['categories'],
}

/** An action without an entry is ended by time alone. */
export const tagsOfAnswer = (name: string, params: Params): readonly string[] => TAGS[name]?.(params) ?? []
