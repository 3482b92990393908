// Gigs: what sellers offer. The actor is a gig, its key the gig's id. Moderation and the index hear of every change
// through the outbox; other nodes' prepared answers are told at once.
import type { Documents, Query } from '../../adapters/documents/index.ts'
import type { Fanout } from '../../adapters/fanout/index.ts'
import type { Actor } from '../../mixins/actor.ts'
import { service, type Ctx, type Here } from '../../mixins/service.ts'
import type { Profile } from '../account/contract.ts'
import { refuse } from '../errors.ts'
import { gigTopic, topicFrame } from '../topic.ts'
import { GIGS_PER_SELLER_MAX, gig as contract, type Gig, type GigCard, type GigEvent } from './contract.ts'
import {
  decided,
  drafted,
  edited,
  favored,
  gigs,
  isVisible,
  moved,
  noGig,
  ordered,
  ownGig,
  published,
  rated,
  retold,
  type GigDoc,
  takenDown,
  unrated,
  withdrawn,
  type Turn,
} from './gig.ts'
import { seededGig } from './seed.ts'
import { sellers, type Sellers } from './sellers.ts'
import { cardOf, gigOf, indexedOf, quoteOf } from './views.ts'

type Gigs = { here: Here; documents: Documents; actor: Actor<GigDoc>; sellers: Sellers; fanout: Fanout }
type Action<K extends keyof (typeof contract)['actions']> = Ctx<(typeof contract)['actions'][K]>
type Take = (gig: GigDoc, seller: Profile, now: number) => Turn

export default service(contract, async (here) => {
  const fanout = await here.open('fanout')
  const self: Gigs = {
    here,
    documents: await here.open('documents'),
    actor: await here.actor({ of: gigs, stored: (before, after) => tell(fanout, before, after) }),
    sellers: sellers(here.call),
    fanout,
  }
  return {
    actions: {
      create: (ctx) => create(self, ctx),
      update: ({ params: { id, ...given }, caller, deadlineAt }) =>
        ownTurn(self, { id, owner: caller.id, deadlineAt }, (gig, seller) => edited(gig, given, seller)),
      publish: ({ params, caller, deadlineAt }) =>
        ownTurn(self, { id: params.id, owner: caller.id, deadlineAt }, published),
      pause: ({ params, caller, deadlineAt }) =>
        ownTurn(self, { id: params.id, owner: caller.id, deadlineAt }, (gig, seller) => moved(gig, 'pause', seller)),
      remove: async ({ params, caller, deadlineAt }) => {
        await ownTurn(self, { id: params.id, owner: caller.id, deadlineAt }, (gig, seller) =>
          moved(gig, 'remove', seller),
        )
        return {}
      },
      get: async ({ params, caller }) => {
        const found = await self.actor.read(params.id)
        if (!isVisible(found, caller?.id)) throw noGig()
        return gigOf(found, await self.sellers.of(found.seller))
      },
      inspect: async ({ params }) => {
        const found = await self.actor.read(params.id)
        return found && gigOf(found, await self.sellers.of(found.seller))
      },
      mine: async ({ params, caller }) => {
        const { docs, next } = await page(self, { index: 'byOwner', equals: { ownedBy: caller.id } }, params)
        const seller = await self.sellers.of(caller.id)
        return { data: docs.map((gig) => gigOf(gig, seller)), nextCursor: next }
      },
      ofUser: async ({ params, call }) =>
        cardsOf(self, await call('account.profile', { username: params.username }), params),
      ofSeller: async ({ params }) => cardsOf(self, await self.sellers.of(params.seller), params),
      tail: async ({ params }) => {
        const found = await self.actor.read(params.id)
        return found && found.status !== 'deleted' ? { seq: found.revision, events: [] } : null
      },
      quote: async ({ params }) => {
        const found = await self.actor.read(params.id)
        return found && quoteOf(found)
      },
      cards: ({ params }) => cards(self, params.ids, params.paused),
      favored: async ({ params: { id, count } }) => {
        await turn(self, id, (gig, seller) => favored(gig, count, seller))
        return {}
      },
      decide: async ({ params }) => {
        await turn(self, params.id, (gig, seller, now) => decided(gig, params, seller, now))
        return {}
      },
      takeDown: async ({ params: { id, reasons } }) => {
        await turn(self, id, (gig, seller) => takenDown(gig, reasons, seller))
        return {}
      },
      forget: async ({ params: { user } }) => {
        const { docs } = await ownedBy(self, user)
        for (const { id } of docs)
          await turn(self, id, (gig, seller) =>
            gig.status === 'deleted' ? { result: gig } : moved(gig, 'remove', seller),
          )
        return {}
      },
      indexed: async ({ params }) => {
        const { docs, next } = await self.documents.find(gigs, {
          index: 'live',
          equals: { isLive: 1 },
          limit: params.limit ?? 500,
          cursor: params.after ?? null,
        })
        const profiles = await self.sellers.all(docs.map(({ seller }) => seller))
        return { data: docs.map((gig, at) => indexedOf(gig, profiles[at]!)), next }
      },
      ensureMany: (ctx) => ensureMany(self, ctx),
    },
    hears: {
      'review.published': async ({ id, data }) => {
        if (data.by === 'buyer') await turn(self, data.gig, (gig, seller) => rated(gig, data.rating, id, seller))
      },
      'review.removed': async ({ id, data }) => {
        if (data.by === 'buyer') await turn(self, data.gig, (gig, seller) => unrated(gig, data.rating, id, seller))
      },
      'order.completed': async ({ id, data }) => {
        await turn(self, data.gig, (gig, seller) => ordered(gig, id, seller))
      },
      'account.changed': ({ data }) => retellGigsOf(self, data.id),
      'account.secured': async ({ data: { user, change } }) => {
        if (change === 'suspended') await pauseGigsOf(self, user)
      },
    },
  }
})

/** Who listens to a gig hears of every version, and of none what it says: it may be a draft again. */
const tell = (fanout: Fanout, before: GigDoc | null, { id, revision, status }: GigDoc): void => {
  if (before?.revision === revision) return
  const data: GigEvent = { gig: id, version: revision, live: status === 'live' }
  fanout.toTopic(gigTopic(id), topicFrame('gig', gigTopic(id), { seq: revision, data }), revision)
}

const create = async (self: Gigs, { params, caller }: Action<'create'>): Promise<Gig> => {
  const { here, documents, actor } = self
  const owned = await documents.count(gigs, { index: 'byOwner', equals: { ownedBy: caller.id } })
  if (owned >= GIGS_PER_SELLER_MAX) throw refuse('conflict', `a seller has at most ${GIGS_PER_SELLER_MAX} gigs`)
  const draft = drafted(here.newId('gig'), caller.id, params, here.clock.now())
  const made = await actor.turn(draft.id, () => ({ next: draft, result: draft }))
  return gigOf(made, await self.sellers.of(caller.id))
}

/** An owner's turn. Moderation is waited for, so that the answer usually has its decision already. */
const ownTurn = async (
  self: Gigs,
  { id, owner, deadlineAt }: { id: string; owner: string; deadlineAt: number },
  take: Take,
): Promise<Gig> => {
  const seller = await self.sellers.of(owner)
  let before: GigDoc | undefined
  const after = await self.actor.turn(id, (state, now) => take((before = ownGig(state, owner)), seller, now), {
    deadlineAt,
    settle: ['moderation'],
  })
  sayChanged(self, before!, after, seller)
  const now = after.status === 'pending' ? await self.actor.read(id) : after
  return gigOf(now ?? after, seller)
}

/** A turn the platform asks for; a gig that is gone is nobody's loss. */
const turn = async (self: Gigs, id: string, take: Take): Promise<void> => {
  const found = await self.actor.read(id)
  if (!found) return
  const seller = await self.sellers.of(found.seller)
  let before: GigDoc | null = null
  const after = await self.actor.turn<GigDoc | null>(id, (state, now) =>
    state ? take((before = state), seller, now) : { result: null },
  )
  if (after) sayChanged(self, before ?? found, after, seller)
}

/** Every node forgets what it prepared from a gig that others see or saw. */
const sayChanged = ({ fanout }: Gigs, before: GigDoc, after: GigDoc, { username }: Profile): void => {
  if (before.revision === after.revision || (before.status !== 'live' && after.status !== 'live')) return
  const categories = new Set([before.content.category, after.content.category])
  const tags = [
    `gig:${after.id}`,
    ...(after.status === 'live' ? [] : [`gone:${after.id}`]),
    ...[...categories].map((slug) => `category:${slug}`),
    'search',
    'categories',
    `user:${username.toLowerCase()}`,
  ]
  fanout.toNodes('hot.changed', { tags })
}

type PageAsked = { limit?: number | undefined; cursor?: string | undefined }
const page = ({ documents }: Gigs, query: Query, { limit = 20, cursor }: PageAsked) =>
  documents.find(gigs, { ...query, order: 'desc', limit, cursor: cursor ?? null })

const cardsOf = async (self: Gigs, seller: Profile, asked: PageAsked) => {
  const { docs, next } = await page(self, { index: 'liveBySeller', equals: { liveSeller: seller.id } }, asked)
  return { data: docs.map((gig) => cardOf(gig, seller)), nextCursor: next }
}

const cards = async (
  { documents, sellers: known }: Gigs,
  ids: readonly string[],
  withPaused = false,
): Promise<(GigCard | null)[]> => {
  const docs = await documents.getMany(gigs, ids)
  const isShown = (gig: GigDoc | null) =>
    gig?.status === 'live' || (withPaused && gig?.status === 'paused' && gig.approved)
  const live = docs.filter(isShown) as GigDoc[]
  const profiles = await known.all(live.map(({ seller }) => seller))
  const made = new Map(live.map((gig, at) => [gig.id, cardOf(gig, profiles[at]!)]))
  return ids.map((id) => made.get(id) ?? null)
}

/** The index knows sellers' names, levels and languages: when one changes, their gigs are told to it again. */
const retellGigsOf = async (self: Gigs, seller: string): Promise<void> => {
  self.sellers.forget(seller)
  const { docs } = await self.documents.find(gigs, {
    index: 'liveBySeller',
    equals: { liveSeller: seller },
    limit: GIGS_PER_SELLER_MAX,
  })
  for (const { id } of docs) await turn(self, id, retold)
}

/** Whoever is out has nothing to sell. What was approved is back at once when its seller publishes it again. */
const pauseGigsOf = async (self: Gigs, owner: string): Promise<void> => {
  const { docs } = await ownedBy(self, owner)
  for (const { id } of docs) await turn(self, id, (gig, seller) => withdrawn(gig, seller))
}

const ownedBy = ({ documents }: Gigs, owner: string) =>
  documents.find(gigs, { index: 'byOwner', equals: { ownedBy: owner }, limit: GIGS_PER_SELLER_MAX })

const ensureMany = async (self: Gigs, { params, call }: Action<'ensureMany'>): Promise<{ made: number }> => {
  const docs = params.gigs.map(seededGig)
  const outcomes = await self.documents.insertMany(gigs, docs)
  const made = docs.filter((_, at) => outcomes[at]?.ok)
  const profiles = await self.sellers.all(made.map(({ seller }) => seller))
  const indexed = made.map((gig, at) => indexedOf(gig, profiles[at]!))
  // The search actor finds by itself what it was not told, only later.
  if (made.length > 0)
    await call('search.index', { gigs: indexed }).catch((error: unknown) =>
      self.here.log.warn('the index will hear of seeded gigs later:', error),
    )
  return { made: made.length }
}
