// Recommendations. Keys: the person (what they touched) and the gig (what is near it). A touch is stored with the person and
// said from there to the gigs; what is like a gig is search's to say, which asks here for its neighbours.
import { service, type Ctx } from '../../mixins/service.ts'
import { isRefused } from '../errors.ts'
import { iso, LIMIT_DEFAULT, LIMIT_MAX } from '../shapes.ts'
import { recommendation as contract, type How } from './contract.ts'
import { recommended, SEEDS_MAX, type Like } from './ranking.ts'
import { nearer, nearest, neighbours, tastes, touched, type TasteDoc } from './taste.ts'

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  const people = await here.actor({ of: tastes })
  const gigs = await here.actor({ of: neighbours })
  const touch = (user: string, gig: string, how: How, event?: string) =>
    people.turn(user, (known, now) => touched(known, { user, gig, how, ...(event && { event }) }, now))

  return {
    actions: {
      list: async ({ params: { limit = LIMIT_DEFAULT }, caller, call }) => {
        const taste = caller ? await people.read(caller.id) : null
        const seeds = (taste?.touched ?? []).slice(-SEEDS_MAX).reverse()
        const [likes, popular] = await Promise.all([
          Promise.all(seeds.map(({ gig }) => like(call, gig))),
          call('search.gigs', { sort: 'bestselling', limit: LIMIT_MAX, facets: 'category' }),
        ])
        const known = new Set((taste?.touched ?? []).map(({ gig }) => gig))
        const data = recommended(
          likes,
          popular.data,
          (card) => known.has(card.id) || (caller !== undefined && card.seller.id === caller.id),
          limit,
        )
        return { data, nextCursor: null }
      },
      touch: async ({ params: { user, gigs: all, how } }) => {
        for (const gig of all) await touch(user, gig, how)
        return {}
      },
      near: async ({ params }) => {
        const known = await gigs.read(params.gig)
        if (!known) return { gigs: [] }
        const others = await documents.getMany(
          neighbours,
          known.near.map(([gig]) => gig),
        )
        return {
          gigs: nearest(
            known,
            others.map((other) => other?.weight ?? 0),
          ),
        }
      },
      touched: async ({ params: { user } }) => {
        const all = (await people.read(user))?.touched ?? []
        return { data: all.toReversed().map(({ gig, how, at }) => ({ gig, how, at: iso(at) })) }
      },
      forget: async ({ params: { user } }) => {
        const removed = (await people.read(user))?.touched.length ?? 0
        const empty = (known: TasteDoc | null) =>
          known ? { next: { ...known, touched: [], heard: [] }, result: undefined } : { result: undefined }
        if (removed > 0) await people.turn(user, empty)
        return { removed }
      },
    },
    hears: {
      'order.completed': ({ id, data: { buyer, gig } }) => touch(buyer, gig, 'ordered', id),
      'recommendation.touched': async ({ id: event, data: { gig, weight, pairs } }) => {
        await gigs.turn(gig, (known) => nearer(known, { gig, weight, pairs, event }))
        for (const { gig: other, score } of pairs)
          await gigs.turn(other, (known) => nearer(known, { gig: other, weight: 0, pairs: [{ gig, score }], event }))
      },
    },
  }
})

/** A gig that is gone is like nothing. */
const like = async (call: Ctx['call'], gig: string): Promise<Like> => {
  try {
    return { gig, cards: (await call('search.similar', { id: gig })).data }
  } catch (error) {
    if (isRefused(error, 'not_found')) return { gig, cards: [] }
    throw error
  }
}
