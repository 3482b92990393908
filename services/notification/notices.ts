// What an event is to the people it concerns: to whom, and in which words. Pure; an event that is nobody's news is nothing.
import type { Events } from '../contract.ts'
import type { Money } from '../shapes.ts'
import type { Kind } from './contract.ts'

export type Notice = {
  user: string
  kind: Kind
  title: string
  text?: string
  about: { type: string; id: string }
  data: Record<string, unknown>
}

/** Longest title and text; what people wrote is cut there. */
export const TITLE_MAX = 160
export const TEXT_MAX = 500

type Party = 'buyer' | 'seller'
type Told = { to: readonly Party[] | 'other' | 'both'; title: string; text?: string }

/** Who hears what of an order's steps; `other` is the party that did not act, `both` are those that did not. */
const ORDER: Readonly<Record<string, Told>> = {
  paid: { to: ['seller'], title: 'New order', text: 'It is paid; the buyer has questions of yours to answer first.' },
  paid_and_started: { to: ['seller'], title: 'New order', text: 'It is paid: the delivery clock has started.' },
  paid_too_late: { to: ['buyer'], title: 'Your payment came too late', text: 'It goes back to you in full.' },
  expired: { to: ['buyer'], title: 'Your order expired', text: 'It was not paid in time.' },
  requirements_answered: { to: ['seller'], title: 'Requirements are in', text: 'The delivery clock has started.' },
  delivered: { to: ['buyer'], title: 'Your order was delivered', text: 'Accept it, or ask for a revision.' },
  late: { to: ['buyer', 'seller'], title: 'An order is late' },
  extras_added: { to: ['buyer', 'seller'], title: 'Extras were added to an order', text: 'They are paid.' },
  extras_expired: { to: ['buyer'], title: 'Your extras were not paid', text: 'Add them again if you like.' },
  extras_paid_too_late: {
    to: ['buyer'],
    title: 'Your extras came too late',
    text: 'What you paid for them goes back.',
  },
  revision_requested: { to: ['seller'], title: 'A revision is asked for' },
  accepted: { to: ['seller'], title: 'Your delivery was accepted', text: 'The money is yours, clearing.' },
  auto_completed: { to: ['buyer', 'seller'], title: 'An order was completed', text: 'Nobody objected in time.' },
  cancelled_before_work: { to: ['seller'], title: 'An order was cancelled', text: 'Before work began.' },
  cancelled_late: { to: ['seller'], title: 'An order was cancelled', text: 'It was overdue.' },
  requirements_timed_out: {
    to: ['buyer', 'seller'],
    title: 'An order was cancelled',
    text: "The seller's questions were not answered in time.",
  },
  stuck_warned: {
    to: ['buyer', 'seller'],
    title: 'An order stands still',
    text: 'It is cancelled in three days unless it is delivered or given more time.',
  },
  stuck_cancelled: { to: ['buyer', 'seller'], title: 'An order was cancelled', text: 'Nobody moved it any more.' },
  cancel_proposed: {
    to: 'other',
    title: 'Cancelling an order is proposed',
    text: 'Agree, or talk about it within 48 hours.',
  },
  cancel_declined: { to: 'other', title: 'Your proposal to cancel was declined', text: 'The order goes on.' },
  extension_proposed: {
    to: ['buyer'],
    title: 'More time is asked for',
    text: 'Agree or decline within 4 days; after that it is withdrawn.',
  },
  extension_agreed: { to: ['seller'], title: 'You have more time', text: 'The buyer agreed; the due date has moved.' },
  extension_declined: { to: ['seller'], title: 'More time was declined', text: 'The due date stays.' },
  extension_withdrawn: { to: ['buyer', 'seller'], title: 'A proposal for more time ran out' },
  cancelled: { to: 'other', title: 'An order was cancelled', text: 'Both of you agreed.' },
  cancelled_by_silence: { to: ['buyer', 'seller'], title: 'An order was cancelled', text: 'Nobody objected in time.' },
  refund_offered: {
    to: ['buyer'],
    title: 'Part of your money back is offered',
    text: 'Agree or decline within 4 days; after that it is withdrawn.',
  },
  refund_agreed: { to: ['seller'], title: 'Your refund was agreed to', text: 'The order goes on.' },
  refund_declined: { to: ['seller'], title: 'Your refund was declined', text: 'The order goes on.' },
  refund_offer_withdrawn: { to: ['buyer', 'seller'], title: 'The offer of a refund ran out' },
  partly_refunded: { to: ['buyer', 'seller'], title: 'Part of the money goes back', text: 'The market decided it.' },
  fully_refunded: { to: ['buyer', 'seller'], title: 'All of the money goes back', text: 'The market decided it.' },
  disputed: {
    to: 'other',
    title: 'An order is disputed',
    text: 'Agree or contest within 48 hours; silence decides for who opened it.',
  },
  disputed_while_clearing: {
    to: ['seller'],
    title: 'A completed order is disputed',
    text: 'Agree or contest within 48 hours; silence decides for the buyer.',
  },
  dispute_contested: { to: 'other', title: 'Your dispute is contested', text: 'The market will decide.' },
  dispute_withdrawn: { to: 'other', title: 'A dispute was withdrawn', text: 'The order goes on where it stood.' },
  dispute_won_by_buyer: { to: 'both', title: 'A dispute was decided for the buyer', text: 'The money goes back.' },
  dispute_won_by_seller: { to: 'both', title: 'A dispute was decided for the seller', text: 'The order is completed.' },
  dispute_split: { to: ['buyer', 'seller'], title: 'A dispute was decided', text: 'The money is shared.' },
  refunded: { to: ['buyer'], title: 'Your money is on its way back' },
  refund_failed: {
    to: ['buyer'],
    title: 'Your refund could not be sent',
    text: 'The money is kept for you; the market looks for another way.',
  },
  charged_back: {
    to: ['buyer', 'seller'],
    title: "The card's bank has taken a payment back",
    text: 'Nothing moves until it has decided.',
  },
  chargeback_won: {
    to: ['buyer', 'seller'],
    title: 'A payment that was taken back has returned',
    text: 'The order goes on where it stood.',
  },
  chargeback_lost: { to: ['buyer', 'seller'], title: "The card's bank keeps a payment it took back" },
  cancelled_by_chargeback: {
    to: ['buyer', 'seller'],
    title: 'An order was cancelled',
    text: "The card's bank keeps the payment it took back.",
  },
  cancelled_on_warning: {
    to: ['buyer', 'seller'],
    title: 'An order was cancelled',
    text: "The card's issuer reported its payment as fraud; the money goes back.",
  },
  tipped: { to: ['seller'], title: 'You have a tip', text: 'It is yours, clearing.' },
  tip_expired: { to: ['buyer'], title: 'Your tip was not paid', text: 'Give another if you like.' },
  tip_cleared: { to: ['seller'], title: 'A tip is available' },
  cleared: { to: ['seller'], title: 'Money is available', text: 'An order has cleared.' },
}
const BOTH = ['buyer', 'seller'] as const
export const ORDER_STEPS = Object.keys(ORDER)

export const ofOrder = ({ order, step, by, buyer, seller, gig }: Events['order.moved']): Notice[] => {
  const told = Object.hasOwn(ORDER, step) ? ORDER[step] : undefined
  if (!told) return []
  const parties = { buyer, seller }
  const to =
    told.to === 'other'
      ? ([by === 'buyer' ? 'seller' : 'buyer'] as const)
      : told.to === 'both'
        ? BOTH.filter((party) => party !== by)
        : told.to
  return to.map((party) => ({
    user: parties[party],
    kind: 'order',
    title: cut(`${told.title}: ${gig}`, TITLE_MAX),
    ...(told.text && { text: told.text }),
    about: { type: 'order', id: order },
    data: { step, role: party },
  }))
}

export const ofGig = ({ id, seller, title, approved, reasons }: Events['gig.moderated']): Notice[] => [
  {
    user: seller,
    kind: 'gig',
    title: cut(approved ? `Your gig is live: ${title}` : `Your gig needs changes: ${title}`, TITLE_MAX),
    ...(!approved && reasons.length > 0 && { text: cut(reasons.join('; '), TEXT_MAX) }),
    about: { type: 'gig', id },
    data: { status: approved ? 'live' : 'rejected', ...(!approved && { reasons: reasons.slice(0, REASONS_MAX) }) },
  },
]
const REASONS_MAX = 10

const MADE: Readonly<Record<string, string>> = { message: 'message', review: 'review' }
/** To whom it was decided about, and to those who asked for it. What becomes of a gig is told by the gig. */
export const ofDecision = ({
  target,
  owner,
  verdict,
  reason,
  held,
  reporters,
}: Events['moderation.decided']): Notice[] => {
  const isOut = verdict === 'suspend' || (verdict === 'reject' && target.type === 'user')
  const made = MADE[target.type]
  const title = isOut
    ? 'Your account is suspended'
    : made && verdict === 'reject'
      ? `A ${made} of yours was removed`
      : made && held !== null
        ? `A ${made} of yours was looked at, and can be seen`
        : null
  const about = { type: target.type, id: target.id }
  const data = { decision: verdict }
  const told = { kind: 'account' as const, about, data }
  return [
    ...(title ? [{ ...told, user: owner, title, ...(reason && { text: cut(reason, TEXT_MAX) }) }] : []),
    ...reporters.map((user) => ({
      ...told,
      user,
      title: 'What you reported was looked at',
      text:
        verdict === 'approve' ? 'It is within the rules and stays. Thank you.' : 'It was against the rules. Thank you.',
    })),
  ]
}

/** Of a review that waits for its answer; once both can be seen, that is said instead. */
export const ofWrittenReview = ({ order, by, buyer, seller, hidden }: Events['review.written']): Notice[] =>
  !hidden
    ? []
    : [
        {
          user: by === 'buyer' ? seller : buyer,
          kind: 'review',
          title: `The ${by} has reviewed an order with you`,
          text: 'Write yours, and both can be read.',
          about: { type: 'order', id: order },
          data: { by, hidden: true },
        },
      ]

export const ofShownReview = ({ order, gig, buyer, seller, by, rating }: Events['review.published']): Notice[] => [
  {
    user: by === 'buyer' ? seller : buyer,
    kind: 'review',
    title: `You have a review of ${rating} ${rating === 1 ? 'star' : 'stars'}`,
    about: { type: 'order', id: order },
    data: { by, rating, gig, hidden: false },
  },
]

export const ofPayout = (event: Events['payment.payout.paid'] | Events['payment.payout.failed']): Notice[] => {
  const { payout, seller, amount } = event
  const reason = 'reason' in event ? event.reason : null
  const status = 'stage' in event ? (event.stage === 'returned' ? 'returned' : 'failed') : 'paid'
  return [
    {
      user: seller,
      kind: 'payout',
      title:
        status === 'paid' ? `${worded(amount)} was paid out to you` : `A payout of ${worded(amount)} did not reach you`,
      ...(reason && { text: cut(reason, TEXT_MAX) }),
      about: { type: 'payout', id: payout },
      data: { status, amount, ...(reason && { reason: cut(reason, TEXT_MAX) }) },
    },
  ]
}

export const ofPayee = (event: Events['payment.payee.changed']): Notice[] => {
  const { user, payoutsEnabled, requirementsDueAt } = event
  const by = requirementsDueAt === null ? null : new Date(requirementsDueAt).toISOString().slice(0, 10)
  const told = !payoutsEnabled
    ? { title: 'Payouts to you are on hold', text: 'The payment provider wants to know more about you.' }
    : by
      ? { title: `The payment provider wants to know more about you by ${by}`, text: 'After that it may hold payouts.' }
      : { title: 'You can be paid out', text: 'The payment provider knows all it needs.' }
  return [
    {
      user,
      kind: 'payout',
      ...told,
      about: { type: 'user', id: user },
      data: { payoutsEnabled, ...(by && { by }) },
    },
  ]
}

export const ofMessages = (user: string, conversation: string, from: { id: string; name: string }, count: number) => ({
  user,
  kind: 'message' as const,
  title: cut(count === 1 ? `New message from ${from.name}` : `${count} new messages from ${from.name}`, TITLE_MAX),
  about: { type: 'conversation', id: conversation },
})

const worded = ({ amount, currency }: Money): string => {
  const code = currency.toUpperCase()
  const { maximumFractionDigits: digits = 2 } = new Intl.NumberFormat('en', {
    style: 'currency',
    currency: code,
  }).resolvedOptions()
  return `${code} ${(amount / 10 ** digits).toFixed(digits)}`
}

/** By characters, so that none is cut in half. */
const cut = (text: string, max: number): string => {
  const line = text.replaceAll(/\s+/g, ' ').trim()
  return line.length <= max ? line : `${[...line].slice(0, max - 1).join('')}…`
}

/** New gigs for a search somebody keeps. */
export const ofSavedSearch = ({ user, saved, name, total, gigs }: Events['discovery.matched']): Notice[] => [
  {
    user,
    kind: 'search',
    title: cut(`${total} new ${total === 1 ? 'gig' : 'gigs'} for ${name}`, TITLE_MAX),
    text: cut(gigs.map(({ title }) => title).join('; '), TEXT_MAX),
    about: { type: 'saved_search', id: saved },
    data: { total, gigs },
  },
]
