// The orders of one person, newest first: as buyer, as seller, or both merged; and the disputes that admins see.
import type { Documents } from '../../adapters/documents/index.ts'
import { refuse } from '../errors.ts'
import { LIMIT_DEFAULT } from '../shapes.ts'
import type { DisputeStatus, OrderStatus } from './contract.ts'
import { orders, type OrderDoc } from './state.ts'
import { publicDispute } from './view.ts'

export type Listing = {
  user: string
  role?: 'buyer' | 'seller' | undefined
  status?: OrderStatus | undefined
  limit: number
  cursor?: string | undefined
}
type Page = { docs: OrderDoc[]; next: string | null }

export const listOrders = async (documents: Documents, asked: Listing): Promise<Page> => {
  const after = asked.cursor === undefined ? null : position(asked.cursor)
  const roles = asked.role ? [asked.role] : (['buyer', 'seller'] as const)
  const found = await Promise.all(roles.map((role) => ofRole(documents, asked, role, after)))
  // A person never is both parties of one order, so nothing comes twice.
  const merged = found.flat().sort((a, b) => b.createdAt - a.createdAt || (a.id < b.id ? 1 : -1))
  const docs = merged.slice(0, asked.limit)
  const last = docs.at(-1)
  return { docs, next: merged.length > asked.limit && last ? cursorOf(last) : null }
}

/** limit + 1 orders of one role that come after the position. */
const ofRole = async (
  documents: Documents,
  { user, status, limit }: Listing,
  role: 'buyer' | 'seller',
  after: Position | null,
) => {
  const owner = role === 'buyer' ? 'buyerId' : 'sellerId'
  const index = `by${role === 'buyer' ? 'Buyer' : 'Seller'}${status ? 'Status' : ''}`
  const docs: OrderDoc[] = []
  let cursor: string | null = null
  do {
    const page: Page & { next: string | null } = await documents.find(orders, {
      index,
      equals: { [owner]: user, ...(status && { status }) },
      order: 'desc',
      limit: limit + 1,
      cursor,
      ...(after && { to: after.createdAt }),
    })
    docs.push(...page.docs.filter((order) => !after || order.createdAt < after.createdAt || order.id < after.id))
    cursor = page.next
  } while (cursor && docs.length <= limit)
  return docs.slice(0, limit + 1)
}

export type DisputeListing = { status?: DisputeStatus; limit?: number; cursor?: string }

/** The last dispute of every order that had one, newest first. */
export const listDisputes = async (documents: Documents, { status, limit = LIMIT_DEFAULT, cursor }: DisputeListing) => {
  const { docs, next } = await documents.find(orders, {
    index: status ? 'byDisputeStatus' : 'byDisputed',
    ...(status && { equals: { disputeStatus: status } }),
    order: 'desc',
    limit,
    cursor: cursor ?? null,
  })
  return { data: docs.map((order) => publicDispute(order)!), nextCursor: next }
}

export const withDispute = async (documents: Documents, id: string): Promise<OrderDoc> => {
  const { docs } = await documents.find(orders, { index: 'byDispute', equals: { disputeId: id }, limit: 1 })
  if (!docs[0]) throw refuse('not_found', 'there is no such dispute')
  return docs[0]
}

type Position = { createdAt: number; id: string }
const cursorOf = ({ createdAt, id }: Position): string => Buffer.from(`${createdAt}/${id}`).toString('base64url')
const position = (cursor: string): Position => {
  const [, createdAt, id] =
    /^(\d{1,16})\/(ord_[0-9a-z]{1,40})$/.exec(Buffer.from(cursor, 'base64url').toString('latin1')) ?? []
  if (!createdAt || !id) throw refuse('bad_cursor')
  return { createdAt: Number(createdAt), id }
}
