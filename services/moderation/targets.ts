// What can be reported, by its kind: whose it is and what it says, as the one who asks may see it; and what a decision does
// to it. Everything here may be done twice.
import type { Call } from '../../mixins/node.ts'
import type { Events } from '../contract.ts'
import { isRefused, refuse } from '../errors.ts'
import type { GigContent } from '../gig/contract.ts'
import type { Facts } from './case.ts'
import type { Target, TargetType } from './contract.ts'

export type Seen = { owner: string; conversation?: string; facts: Facts }
type Look = (call: Call, id: string, viewer: string | null) => Promise<Seen | null>
export type Ruling = Events['moderation.decided']
type Kind = {
  prefix: string
  look: Look
  approve(call: Call, ruling: Ruling): Promise<unknown>
  reject: Kind['approve']
}

/** Characters of a text that a case keeps. */
const TEXT_KEPT = 4000

const KINDS: Readonly<Record<TargetType, Kind>> = {
  gig: {
    prefix: 'gig_',
    look: async (call, id, viewer) => {
      const gig = viewer ? await unlessGone(call('gig.get', { id })) : await call('gig.inspect', { id })
      return gig && { owner: gig.seller.id, facts: { ...gigFacts(gig), status: gig.status, version: gig.version } }
    },
    approve: async (call, { target: { id }, held }) =>
      held !== null && call('gig.decide', { id, version: held, approved: true, reasons: [] }),
    reject: (call, { target: { id }, reason }) => call('gig.takeDown', { id, reasons: [reason] }),
  },
  message: {
    prefix: 'msg_',
    look: async (call, id, viewer) => {
      const message = await call('chat.message', { id, ...(viewer && { user: viewer }) })
      if (!message) return null
      const { conversation, sender, text, attachments, sentAt, editedAt, deleted } = message
      const facts = { text, attachments, sentAt, ...(editedAt && { editedAt }), ...(deleted && { deleted }) }
      return { owner: sender, conversation, facts }
    },
    approve: (call, { target: { id: message }, conversation: id }) =>
      unlessGone(call('chat.release', { id: id!, message })),
    reject: (call, { target: { id: message }, conversation: id }) =>
      unlessGone(call('chat.remove', { id: id!, message })),
  },
  user: {
    prefix: 'usr_',
    look: async (call, id) => {
      const [card] = await call('account.cards', { ids: [id] })
      if (!card) return null
      const { username, displayName, bio, memberSince } = card
      return { owner: id, facts: { username, displayName, bio, memberSince } }
    },
    approve: async () => undefined,
    reject: (call, ruling) => takeOut(call, ruling),
  },
  review: {
    prefix: 'rev_',
    look: async (call, id) => {
      const review = await call('review.one', { id })
      if (!review) return null
      const { author: owner, order, gig, by, rating, text } = review
      return { owner, facts: { order, gig, by, rating, text } }
    },
    approve: async () => undefined,
    reject: (call, { target: { id } }) => call('review.takeDown', { id }),
  },
}

export const gigFacts = ({ title, description, category, tags, images }: GigContent): Facts => ({
  title,
  description: description.slice(0, TEXT_KEPT),
  category,
  tags,
  images,
})

/** An id says by its beginning what it names; or it is said. */
export const targetOf = (given: Target | string): Target => {
  if (typeof given !== 'string') return given
  const [type, id] = given.includes(':') ? (given.split(':') as [TargetType, string]) : [null, given]
  const found = type ?? (Object.keys(KINDS) as TargetType[]).find((kind) => id.startsWith(KINDS[kind].prefix))
  if (!found)
    throw refuse('validation_failed', 'target: is no gig, message, user or review', {
      errors: [{ path: 'target', message: 'is no gig, message, user or review' }],
    })
  return { type: found, id }
}

/** Null where there is no such thing, or it is not this person's to see. Without a viewer it is looked at as it is. */
export const look = ({ type, id }: Target, call: Call, viewer: string | null): Promise<Seen | null> =>
  KINDS[type].look(call, id, viewer)

export const carryOut = async (call: Call, ruling: Ruling): Promise<void> => {
  const { verdict, target } = ruling
  if (verdict === 'approve') await KINDS[target.type].approve(call, ruling)
  else await KINDS[target.type].reject(call, ruling)
  if (verdict === 'suspend') await takeOut(call, ruling)
}

const takeOut = async (call: Call, { owner: id, reason, by }: Ruling): Promise<void> => {
  try {
    await call('account.takeOut', { id, reason, by })
  } catch (error) {
    // They became admin, or left, while it was being decided.
    if (!isRefused(error, 'forbidden') && !isRefused(error, 'not_found')) throw error
  }
}

/** Never there, or taken away by whoever made it. */
const unlessGone = async <R>(asked: Promise<R>): Promise<R | null> => {
  try {
    return await asked
  } catch (error) {
    if (isRefused(error, 'not_found') || isRefused(error, 'conflict')) return null
    throw error
  }
}
