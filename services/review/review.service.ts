// Reviews. Key: the order's id. What one side wrote stays hidden until the other wrote too, or 14 days have passed.
import { every } from '../../mixins/every.ts'
import { service, type Ctx } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import { LIMIT_DEFAULT, type Caller } from '../shapes.ts'
import { review as contract } from './contract.ts'
import {
  namedBy,
  publicReview,
  reviews,
  show,
  takenDown,
  unnamed,
  unwritten,
  worded,
  write,
  type ReviewDoc,
  type Side,
} from './reviews.ts'

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  const fanout = await here.open('fanout')
  const book = await here.actor<ReviewDoc>({
    of: reviews,
    wake: (state, now) => ({ ...show(state, now), result: undefined }),
  })

  return {
    actions: {
      create: async (ctx) => {
        const { id, rating, text } = ctx.params
        const about = (await ctx.call('order.reviewable', { id })) ?? (await refuseUnfinished(ctx, id))
        const by: Side | null =
          about.buyer === ctx.caller.id ? 'buyer' : about.seller === ctx.caller.id ? 'seller' : null
        if (!by) throw (await ctx.call('order.get', { id })) && notAParty()
        const words = worded(text)
        const [author] = await ctx.call('account.cards', { ids: [ctx.caller.id] })
        const { username = '', displayName = '' } = author ?? {}
        const state = await book.turn(
          id,
          (before, now) => {
            const moved = write(before ?? unwritten(about), by, {
              rating,
              text: words,
              at: now,
              author: { username, displayName },
            })
            return { ...moved, result: moved.next }
          },
          { deadlineAt: ctx.deadlineAt, settle: ['order', 'gig', 'account'] },
        )
        fanout.toNodes('hot.changed', { tags: [`gig:${state.gig}`] })
        return publicReview(state, by)
      },
      ofGig: async (ctx) => {
        const { id, limit = LIMIT_DEFAULT, cursor = null } = ctx.params
        const { docs, next } = await documents.find(reviews, {
          index: 'byGig',
          equals: { gig: id },
          order: 'desc',
          limit,
          cursor,
        })
        if (docs.length === 0 && cursor === null) await refuseUnknownGig(ctx, id)
        return { data: docs.map((state) => publicReview(state, 'buyer')), nextCursor: next }
      },
      one: async ({ params }) => {
        const named = namedBy(params.id)
        const state = named && (await book.read(named.order))
        const words = named && state?.words[named.by]
        if (!named || !state || !words || state.shown[named.by] === undefined || state.removed?.[named.by]) return null
        const { rating, text } = words
        return { author: state[named.by], order: state.id, gig: state.gig, by: named.by, rating, text }
      },
      written: async ({ params: { user, orders } }) =>
        (await documents.getMany(reviews, orders)).flatMap((state) => {
          const by: Side = state?.buyer === user ? 'buyer' : 'seller'
          return state?.[by] === user && state.words[by] ? [publicReview(state, by)] : []
        }),
      forget: async ({ params: { user } }) => {
        const theirs = ['buyer', 'seller'].map((side) => ({ index: INDEXES[side as Side], equals: { [side]: user } }))
        const gigs = new Set<string>()
        const changed = await every(documents, reviews, theirs, async ({ id, gig }) => {
          await book.turn(id, (state) => unnamed(state, user))
          gigs.add(gig)
        })
        fanout.toNodes('hot.changed', { tags: [...gigs].slice(0, FORGET_TAGS_MAX).map((gig) => `gig:${gig}`) })
        return { changed }
      },
      takeDown: async ({ params }) => {
        const named = namedBy(params.id)
        if (!named) return {}
        const decide = (state: ReviewDoc | null, now: number) => takenDown(state, named.by, now)
        const gig = await book.turn(named.order, decide, { settle: ['gig', 'account'] })
        if (gig) fanout.toNodes('hot.changed', { tags: [`gig:${gig}`] })
        return {}
      },
      ensureMany: async (ctx) => {
        const cards = await ctx.call('account.cards', { ids: ctx.params.reviews.map(({ buyer }) => buyer) })
        const docs = ctx.params.reviews.map(
          ({ order, gig, buyer, seller, rating, text, createdAt: at }, index): ReviewDoc => {
            const { username = '', displayName = '' } = cards[index] ?? {}
            const words = { buyer: { rating, text, at, author: { username, displayName } } }
            return {
              id: order,
              version: 1,
              outbox: [],
              gig,
              buyer,
              seller,
              completedAt: at,
              words,
              shown: { buyer: at },
              gigShownAt: at,
            }
          },
        )
        const outcomes = docs.length > 0 ? await documents.insertMany(reviews, docs) : []
        return { made: outcomes.filter(({ ok }) => ok).length }
      },
    },
  }
})

const INDEXES = { buyer: 'byBuyer', seller: 'bySeller' } as const
/** Prepared answers ended at once; others end by time. */
const FORGET_TAGS_MAX = 1000

/** Only a gig without reviews has to be asked for: one that has some is, or was, there. */
const refuseUnknownGig = async ({ call }: Ctx, id: string): Promise<void> => {
  const [card] = await call('gig.cards', { ids: [id] })
  if (!card) throw refuse('not_found', 'there is no such gig')
}

const notAParty = () => refuse('forbidden', 'only the parties of an order review it')

/** Strangers hear that there is no such order, onlookers that it is not theirs, parties that it is too early. */
const refuseUnfinished = async (ctx: Ctx & { caller: Caller }, id: string): Promise<never> => {
  const { buyer, seller, status } = await ctx.call('order.get', { id })
  if (![buyer.id, seller.id].includes(ctx.caller.id)) throw notAParty()
  throw refuse('invalid_transition', `an order is reviewed when it is completed; this one is ${status}`)
}
