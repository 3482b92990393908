// An offer's document and how each move changes it. Pure: what it was, who asks what, when → what it is, what is said.
import { actorCollection, type ActorDoc, type Decision, type Said } from '../../mixins/actor.ts'
import { refuse } from '../errors.ts'
import type { Agreement } from '../order/contract.ts'
import { iso, nobody, type Money } from '../shapes.ts'
import type { Offer, OfferCard, OfferStatus } from './contract.ts'
import { actionsOf, leadsTo, steps, type Party, type StepName } from './process.ts'
import type { Terms } from './terms.ts'

export type Person = { id: string; username: string; displayName: string }
export type OfferDoc = ActorDoc &
  Terms & {
    conversation: string
    gig: { id: string; title: string }
    seller: Person
    buyer: Person
    /** For the indexes, which know top-level fields only. Absent in old offers. */
    sellerId?: string
    buyerId?: string
    price: Money
    status: OfferStatus
    createdAt: number
    /** What the buyer accepted, frozen then. */
    agreed: Agreement | null
    /** The command that ended it: asked again it finds what it did. */
    command: string | null
    /** Its place among the open ones of the conversation; null leaves it to others. */
    slot: string | null
  }

/** A slot is one offer's at a time: that bounds the open ones, also when several are made at once. */
export const offers = actorCollection<OfferDoc>('offers', {
  slot: { keys: ['slot'], unique: true },
  bySeller: { keys: ['sellerId'] },
  byBuyer: { keys: ['buyerId'] },
})

export type Turn = Decision<OfferDoc, OfferDoc>
type Making = Pick<OfferDoc, 'id' | 'conversation' | 'gig' | 'seller' | 'buyer'>

/** Whoever makes the same offer again finds it as it is. */
export const made = (state: OfferDoc | null, making: Making, terms: Terms, slot: number, now: number): Turn => {
  if (state) return { result: state }
  const next: OfferDoc = {
    ...making,
    ...terms,
    sellerId: making.seller.id,
    buyerId: making.buyer.id,
    version: 0,
    outbox: [],
    wakeAt: terms.expiresAt,
    status: 'open',
    createdAt: now,
    agreed: null,
    command: null,
    slot: `${making.conversation}/${slot}`,
  }
  return { next, say: [changed(next)], result: next }
}

/** Accepted by the same buyer before, it stays what it was. */
export const accepted = (
  state: OfferDoc | null,
  by: string,
  agreed: Agreement,
  now: number,
  command?: string,
): Turn => {
  const offer = movable(state, by, 'accepted')
  if (offer.status === 'accepted') return { result: offer }
  const next = taken(offer, 'accepted', statusAt(offer, now), { agreed, command: command ?? null })
  return { next, say: [{ name: 'offer.accepted', data: agreed }, changed(next)], result: next }
}

export const ended = (
  state: OfferDoc | null,
  by: string,
  step: 'declined' | 'withdrawn',
  now: number,
  command?: string,
): Turn => {
  const offer = movable(state, by, step)
  if (command && offer.command === command) return { result: offer }
  const next = taken(offer, step, statusAt(offer, now), { command: command ?? null })
  return { next, say: [changed(next)], result: next }
}

/** The same offer by or to somebody whose name is forgotten. */
export const unnamed = (state: OfferDoc | null, user: string): Decision<OfferDoc, undefined> => {
  if (!state) return { result: undefined }
  const name = (person: Person): Person => (person.id === user ? nobody(user) : person)
  const { agreed } = state
  const next = {
    ...state,
    seller: name(state.seller),
    buyer: name(state.buyer),
    agreed: agreed && { ...agreed, seller: name(agreed.seller), buyer: name(agreed.buyer) },
  }
  return { next, result: undefined }
}

/** The clock's move: only open offers have a timer. */
export const expired = (offer: OfferDoc): Turn => {
  const next = taken(offer, 'expired', offer.status)
  return { next, say: [changed(next)], result: next }
}

/** Theirs to see (404), theirs to do (403); whether it is time is the table's question (409). */
export const movable = (state: OfferDoc | null, by: string, step: StepName): OfferDoc => {
  const offer = seen(state, by)
  if (steps[step].by !== partyOf(offer, by)) throw refuse('forbidden', `that is the ${steps[step].by}'s to do`)
  return offer
}

export const seen = (state: OfferDoc | null, by: string): OfferDoc => {
  if (!state || !partyOf(state, by)) throw refuse('not_found', 'there is no such offer')
  return state
}

const partyOf = ({ seller, buyer }: OfferDoc, id: string): Party | null =>
  seller.id === id ? 'seller' : buyer.id === id ? 'buyer' : null

const taken = (offer: OfferDoc, step: StepName, from: OfferStatus, change: Partial<OfferDoc> = {}): OfferDoc => {
  const status = leadsTo(step, from)
  if (status === null) throw refuse('invalid_transition', `the offer can't be ${step}: it is ${from}`)
  return { ...offer, ...change, status, wakeAt: null, slot: null }
}

/** Past its time it is expired, whether or not the timer has come round to it. */
export const statusAt = ({ status, expiresAt }: OfferDoc, now: number): OfferStatus =>
  status === 'open' && now >= expiresAt ? 'expired' : status

const changed = (offer: OfferDoc): Said => ({
  name: 'offer.changed',
  data: { conversation: offer.conversation, seller: offer.seller.id, card: cardOf(offer, offer.status) },
})

const cardOf = (offer: OfferDoc, status: OfferStatus): OfferCard => {
  const { id, title, price, deliveryDays, revisions, expiresAt, agreed } = offer
  return {
    id,
    title,
    price,
    deliveryDays,
    revisions,
    expiresAt: iso(expiresAt),
    status,
    ...(agreed && { order: agreed.order }),
  }
}

export const publicOffer = (offer: OfferDoc, caller: string, now: number): Offer => {
  const { conversation, gig, description, seller, buyer, createdAt } = offer
  const status = statusAt(offer, now)
  return {
    ...cardOf(offer, status),
    conversation,
    gig,
    description,
    seller,
    buyer,
    allowedActions: actionsOf(caller === seller.id ? 'seller' : 'buyer', status),
    createdAt: iso(createdAt),
  }
}
