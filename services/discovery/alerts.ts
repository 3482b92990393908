// A saved search whose time has come is asked like anybody would ask it, newest first; what is new is told once.
import type { Actor } from '../../mixins/actor.ts'
import type { Here } from '../../mixins/service.ts'
import { answered, type Listed, type SavedDoc } from './saved.ts'

/** Gigs looked through in one asking, the newest; pages of a hundred. */
const PAGES_MAX = 3
const PAGE = 100

export const alerts = (here: Here, book: Actor<SavedDoc>) => ({
  /** May be told twice: the second finds what the first has written. */
  due: async ({ user, saved }: { user: string; saved: string }): Promise<void> => {
    const doc = await book.read(user)
    const one = doc?.searches.find(({ id }) => id === saved)
    if (!one || one.alert === 'off') return
    const askedAt = here.clock.now()
    const listed: Listed[] = []
    let cursor: string | undefined
    for (let page = 0; page < PAGES_MAX; page++) {
      const found = await here.call('search.gigs', {
        ...one.query,
        sort: 'newest',
        loosen: 'no',
        facets: 'category',
        limit: PAGE,
        ...(cursor && { cursor }),
      })
      listed.push(...found.data.map(({ id, title, listedAt }) => ({ id, title, listedAt: Date.parse(listedAt) })))
      if (found.nextCursor === null) break
      cursor = found.nextCursor
    }
    await book.turn(user, (state) => answered(state, saved, listed, askedAt))
  },
})
