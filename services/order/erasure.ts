// Orders of a person who has left: what was agreed, done and paid stays; whose it was is an id without a name.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Actor } from '../../mixins/actor.ts'
import { every } from '../../mixins/every.ts'
import { nobody } from '../shapes.ts'
import { orders, type OrderDoc, type Party } from './state.ts'

/** Answers how many orders there were. Asked again it changes nothing more. */
export const forgetParty = (documents: Documents, book: Actor<OrderDoc>, user: string): Promise<number> => {
  const theirs = [
    { index: 'byBuyer', equals: { buyerId: user } },
    { index: 'bySeller', equals: { sellerId: user } },
  ]
  return every(documents, orders, theirs, ({ id }) => book.turn(id, (order) => unnamed(order, user)))
}

const unnamed = (order: OrderDoc | null, user: string) => {
  const name = (party: Party): Party => (party.id === user ? nobody(user) : party)
  return order
    ? { next: { ...order, buyer: name(order.buyer), seller: name(order.seller) }, result: undefined }
    : { result: undefined }
}
