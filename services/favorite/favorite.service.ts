// Favorites: the gigs a person keeps for later. Each is a document of its own; a gig hears now and then how many keep it,
// counted from the index, so that no count drifts.
import type { Documents } from '../../adapters/documents/index.ts'
import { service, type Ctx } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import { iso, LIMIT_DEFAULT } from '../shapes.ts'
import { FAVORITES_MAX, favorite as contract, type Favorite } from './contract.ts'
import { due, favoriteId, favorites, stirred, tallies, type FavoriteDoc } from './favorites.ts'

type Action<K extends keyof (typeof contract)['actions']> = Ctx<(typeof contract)['actions'][K]>

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  await documents.declare([favorites] as never)
  const counting = await here.actor({ of: tallies, wake: due })
  const stir = (gig: string) => counting.turn(gig, (tally, now) => stirred(tally, gig, now))

  const add = async ({ caller, params: { gigId: gig }, call }: Action<'add'>): Promise<FavoriteDoc> => {
    const id = favoriteId(caller.id, gig)
    const known = await documents.get(favorites, id)
    if (known) return known
    const [card] = await call('gig.cards', { ids: [gig] })
    if (!card) throw refuse('not_found', 'there is no such gig')
    if ((await documents.count(favorites, { index: 'byUser', equals: { user: caller.id } })) >= FAVORITES_MAX)
      throw refuse('conflict', `a person keeps at most ${FAVORITES_MAX} gigs`)
    await stir(gig)
    const countedFor = card.seller.id === caller.id ? null : gig
    const doc: FavoriteDoc = { id, version: 1, user: caller.id, gig, at: here.clock.now(), countedFor }
    const { ok } = await documents.insert(favorites, doc)
    if (ok) void call('recommendation.touch', { user: caller.id, gigs: [gig], how: 'kept' }).catch(unheard)
    return ok ? doc : ((await documents.get(favorites, id)) ?? doc)
  }

  return {
    actions: {
      add: async (ctx) => {
        const { gig, at } = await add(ctx)
        return { gig, favoritedAt: iso(at) }
      },
      remove: async ({ caller, params: { gigId: gig } }) => {
        const id = favoriteId(caller.id, gig)
        if (!(await documents.get(favorites, id))) return {}
        await stir(gig)
        await documents.remove(favorites, id)
        return {}
      },
      list: (ctx) => list(documents, ctx),
      forget: async ({ params: { user } }) => {
        let removed = 0
        for (;;) {
          const { docs } = await documents.find(favorites, { index: 'byUser', equals: { user }, limit: FORGET_BATCH })
          if (docs.length === 0) return { removed }
          for (const { id, gig } of docs) {
            await stir(gig)
            if (await documents.remove(favorites, id)) removed++
          }
        }
      },
    },
    hears: {
      'favorite.due': async ({ data: { gig: id }, call }) => {
        const count = await documents.count(favorites, { index: 'byGig', equals: { countedFor: id } })
        await call('gig.favored', { id, count })
      },
    },
  }
})

/** What recommendations miss is no loss. */
const unheard = () => undefined

const FORGET_BATCH = 200

const list = async (documents: Documents, { caller, params, call }: Action<'list'>) => {
  const { limit = LIMIT_DEFAULT, cursor = null } = params
  const query = { index: 'byUser', equals: { user: caller.id }, order: 'desc' as const, limit, cursor }
  const { docs, next } = await documents.find(favorites, query)
  const cards = docs.length === 0 ? [] : await call('gig.cards', { ids: docs.map(({ gig }) => gig), paused: true })
  const data = docs.flatMap(({ at }, index): Favorite[] => {
    const card = cards[index]
    return card ? [{ ...card, favoritedAt: iso(at) }] : []
  })
  return { data, nextCursor: next }
}
