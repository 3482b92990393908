// An offer: what a seller proposes to one person. Key: the offer's id. It is stored first and then said: to the
// conversation, which shows it and every change of it, and once accepted to the order it becomes.
import type { Actor } from '../../mixins/actor.ts'
import { every } from '../../mixins/every.ts'
import { service, type Ctx, type Here } from '../../mixins/service.ts'
import { refusal, refuse } from '../errors.ts'
import type { Agreement } from '../order/contract.ts'
import { offer as contract, OPEN_OFFERS_MAX } from './contract.ts'
import {
  accepted,
  ended,
  expired,
  made,
  movable,
  offers,
  publicOffer,
  seen,
  statusAt,
  unnamed,
  type OfferDoc,
  type Person,
} from './offer.ts'
import { termsOf } from './terms.ts'
import { verifyOffers } from './verify.ts'

type Action<K extends keyof (typeof contract)['actions']> = Ctx<(typeof contract)['actions'][K]>
type Offers = { here: Here; book: Actor<OfferDoc> }

/** Whoever moves an offer is answered when the conversation shows it so. */
const SETTLED_WITH = ['chat'] as const

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  const book = await here.actor<OfferDoc>({ of: offers, wake: expired })
  const self: Offers = { here, book }
  const now = () => here.clock.now()
  const end = async ({ params: { id }, caller, meta, deadlineAt }: Action<'decline'>, step: 'declined' | 'withdrawn') =>
    publicOffer(
      await book.turn(id, (state, at) => ended(state, caller.id, step, at, meta.command?.id), {
        deadlineAt,
        settle: SETTLED_WITH,
      }),
      caller.id,
      now(),
    )
  return {
    actions: {
      make: (ctx) => make(self, ctx),
      get: async ({ params, caller }) => publicOffer(seen(await book.read(params.id), caller.id), caller.id, now()),
      accept: (ctx) => accept(self, ctx),
      decline: (ctx) => end(ctx, 'declined'),
      withdraw: (ctx) => end(ctx, 'withdrawn'),
      forget: async ({ params: { user } }) => {
        const theirs = [
          { index: 'bySeller', equals: { sellerId: user } },
          { index: 'byBuyer', equals: { buyerId: user } },
        ]
        const changed = await every(documents, offers, theirs, ({ id }) => book.turn(id, (one) => unnamed(one, user)))
        return { changed }
      },
      verify: () => verifyOffers(documents, here.call),
    },
  }
})

const make = async (self: Offers, ctx: Action<'make'>) => {
  const { here, book } = self
  const { id: conversation, gig, ...given } = ctx.params
  const { caller, meta, deadlineAt } = ctx
  const id = here.newId('off', meta.command)
  // A command asked again finds the offer it made, whatever became of gig and conversation since.
  const before = meta.command && (await book.read(id))
  if (before) return publicOffer(before, caller.id, here.clock.now())
  const partner = await ctx.call('chat.partner', { id: conversation, user: caller.id })
  if (!partner) throw refuse('not_found', 'there is no such conversation')
  if (partner.blocked) throw refuse('forbidden', 'this person does not take offers from you')
  const quote = await ctx.call('gig.quote', { id: gig })
  if (!quote) throw refuse('not_found', 'there is no such live gig')
  if (quote.seller !== caller.id) throw refuse('forbidden', 'only its seller makes offers on a gig')
  const [seller, buyer] = await people(ctx, [caller.id, partner.id])
  const making = {
    id,
    conversation,
    gig: { id: gig, title: quote.title },
    seller: nameOf(seller),
    buyer: nameOf(buyer),
  }
  const terms = termsOf(given, quote, here.clock.now())
  for (let slot = 0; slot < OPEN_OFFERS_MAX; slot++) {
    const offer = await book
      .turn(id, (state, now) => made(state, making, terms, slot, now), { deadlineAt, settle: SETTLED_WITH })
      .catch(nullWhenTaken)
    if (offer) return publicOffer(offer, caller.id, here.clock.now())
  }
  throw refuse('conflict', `a conversation has at most ${OPEN_OFFERS_MAX} open offers: withdraw one first`)
}

const nullWhenTaken = (error: unknown): null => {
  if (refusal(error)?.extra.data?.index === 'slot') return null
  throw error
}

/** First the offer is accepted, which only one move can win; then its order is asked for, which the event makes in any case. */
const accept = async ({ here, book }: Offers, ctx: Action<'accept'>) => {
  const { params, caller, meta, deadlineAt } = ctx
  const command = meta.command?.id
  const offer = movable(await book.read(params.id), caller.id, 'accepted')
  const agreed = offer.agreed ?? (await agreement(here, ctx, offer))
  let isKnown = false
  const now = await book.turn(
    params.id,
    (state, at) => {
      isKnown = state?.status === 'accepted' && (!command || state.command !== command)
      return accepted(state, caller.id, agreed, at, command)
    },
    { deadlineAt, settle: SETTLED_WITH },
  )
  const order = await ctx.call('order.placeOffer', now.agreed!)
  if (isKnown) meta.$statusCode = 200
  return order
}

/** What the buyer accepts, as the gig and the two people are now. */
const agreement = async (here: Here, ctx: Action<'accept'>, offer: OfferDoc): Promise<Agreement> => {
  const at = here.clock.now()
  const status = statusAt(offer, at)
  if (status !== 'open') throw refuse('invalid_transition', `the offer can't be accepted: it is ${status}`)
  const quote = await ctx.call('gig.quote', { id: offer.gig.id })
  if (!quote) throw refuse('conflict', 'the gig of this offer is not live right now')
  const [seller, buyer] = await people(ctx, [offer.seller.id, offer.buyer.id])
  const { title, description, price, deliveryDays, revisions } = offer
  return {
    order: here.newId('ord', { id: offer.id, at }),
    offer: offer.id,
    gig: { id: quote.gig, title: quote.title, version: quote.version, image: quote.image },
    terms: { title, description: description || title, price, deliveryDays, revisions, features: [] },
    requirements: quote.requirements,
    buyer: nameOf(buyer),
    seller: nameOf(seller),
    sellerLevel: seller.level,
    category: quote.category,
  }
}

const people = async ({ call }: Pick<Ctx, 'call'>, ids: [string, string]) => {
  const [one, other] = await call('account.cards', { ids })
  if (!one || !other) throw refuse('unavailable', 'the parties of this offer cannot be looked up right now')
  return [one, other] as const
}

const nameOf = ({ id, username, displayName }: Person): Person => ({ id, username, displayName })
