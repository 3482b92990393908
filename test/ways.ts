// Ways through an order's life that together take every row of the table, by everybody who may take it.
import { codeOf, usd, type Life, type Path } from './living.ts'
import {
  AUTO_COMPLETE_MS,
  CANCEL_SILENCE_MS,
  CLEARING_MS,
  DAY_MS,
  DISPUTE_ANSWER_MS,
  EXTENSION_SILENCE_MS,
  PAY_WITHIN_MS,
  REQUIREMENTS_WITHIN_MS,
  STUCK_MS,
} from '../services/order/timing.ts'

export const waysOf = (life: Life): Record<string, () => Promise<string>> => {
  const { node, ask, read, by, after, seen, resolve, giveBack, hear, at, asking, paid, delivered, disputed } = life
  const { takenBack, bankDecides, warned, confirmedAfter } = life
  const going =
    (...path: Path[]) =>
    () =>
      at(...path)
  const unasked =
    (...path: Path[]) =>
    () =>
      asking(...path)
  const settled = seen('refunded')
  const tooLate: Path = async (id) =>
    hear(`late ${id}`, 'payment.succeeded', {
      order: id,
      payment: `pi_${id}`,
      amount: (await read(id)).price.total,
      fee: usd(0),
      at: node.clock.now(),
    })
  return {
    'declined, then paid': going(
      (id) => codeOf(ask(id, 'buyer', 'pay', { paymentMethod: 'pm_card_visa_chargeDeclined' })),
      paid,
    ),
    'never paid': life.places.expired,
    'cancelled unpaid, paid too late': going(by('buyer', 'cancel'), tooLate),
    'answered, delivered, revised': unasked(
      by('buyer', 'requirements'),
      by('seller', 'deliver'),
      by('buyer', 'revision'),
    ),
    'cancelled before work': unasked(by('buyer', 'cancel'), settled),
    accepted: going(...delivered, by('buyer', 'accept'), after(CLEARING_MS)),
    'completed by itself': going(...delivered, after(AUTO_COMPLETE_MS)),
    'late and cancelled': going(paid, after(2 * DAY_MS), after(DAY_MS), by('buyer', 'cancel')),
    'cancelled together, the seller first': going(paid, by('seller', 'cancel'), by('buyer', 'cancel')),
    'cancelled together, the buyer first': going(paid, by('buyer', 'cancel'), by('seller', 'cancel')),
    'cancelling declined': going(
      paid,
      by('buyer', 'cancel'),
      by('seller', 'decline'),
      by('seller', 'cancel'),
      by('buyer', 'decline'),
    ),
    'cancelled by silence': going(paid, by('seller', 'cancel'), after(CANCEL_SILENCE_MS)),
    'questions never answered': unasked(after(REQUIREMENTS_WITHIN_MS)),
    'standing still': going(paid, after(STUCK_MS)),
    'more time agreed': going(paid, by('seller', 'extend'), by('buyer', 'extend', {})),
    'more time declined': going(paid, by('seller', 'extend'), by('buyer', 'decline')),
    'more time withdrawn': going(paid, by('seller', 'extend'), after(2 * DAY_MS), after(EXTENSION_SILENCE_MS)),
    'a refund agreed, another declined, another run out': going(
      paid,
      by('seller', 'refund-offer'),
      by('buyer', 'refund-offer', {}),
      by('seller', 'refund-offer'),
      by('buyer', 'decline'),
      by('seller', 'deliver'),
      by('buyer', 'revision'),
      by('seller', 'refund-offer'),
      after(2 * DAY_MS),
      after(2 * DAY_MS),
    ),
    'an admin gives back, before, after completion and after it has cleared': going(
      ...delivered,
      giveBack(1111),
      by('buyer', 'accept'),
      giveBack(333),
      after(CLEARING_MS),
      giveBack(77),
      async (id) => giveBack((await read(id)).price.total.amount - 1521)(id),
      settled,
    ),
    'a refund that comes back days after it was sent': going(
      by('buyer', 'pay', { paymentMethod: 'pm_card_refundFail' }),
      by('seller', 'cancel'),
      by('buyer', 'cancel'),
      settled,
      after(DAY_MS),
      seen('refund_failed'),
    ),
    'extras before the questions are answered': unasked(by('buyer', 'extras'), by('buyer', 'requirements')),
    'extras declined, then paid, delivered, cleared': going(
      paid,
      (id) => codeOf(ask(id, 'buyer', 'extras', { extras: ['colour'], paymentMethod: 'pm_card_visa_chargeDeclined' })),
      by('buyer', 'extras'),
      by('seller', 'deliver'),
      by('buyer', 'accept'),
      after(CLEARING_MS),
    ),
    'extras never confirmed': going(
      paid,
      by('buyer', 'extras', { extras: ['colour'], paymentMethod: 'pm_card_authenticationRequired' }),
      after(PAY_WITHIN_MS),
    ),
    'extras confirmed after the delivery': going(
      paid,
      confirmedAfter('extras', by('seller', 'deliver')),
      seen('extras_paid_too_late'),
      settled,
    ),
    'extras, and all of it cancelled': going(
      paid,
      by('buyer', 'extras'),
      by('seller', 'cancel'),
      by('buyer', 'cancel'),
      settled,
    ),
    'taken back at work, returned, delivered': going(paid, takenBack(), bankDecides('won'), by('seller', 'deliver')),
    'taken back before work and lost': unasked(takenBack(), bankDecides('lost')),
    'taken back from a disputed order and lost': going(...disputed, takenBack(), bankDecides('lost')),
    'taken back while clearing and lost': going(...delivered, by('buyer', 'accept'), takenBack(), bankDecides('lost')),
    "taken back after it was the seller's, lost": going(
      ...delivered,
      by('buyer', 'accept'),
      after(CLEARING_MS),
      takenBack(),
      bankDecides('lost'),
    ),
    "taken back after it was the seller's, returned": going(
      ...delivered,
      by('buyer', 'accept'),
      after(CLEARING_MS),
      takenBack(),
      bankDecides('won'),
    ),
    'a tip taken back and lost': going(
      ...delivered,
      by('buyer', 'accept'),
      by('buyer', 'tip'),
      takenBack('tipped'),
      bankDecides('lost'),
      after(CLEARING_MS),
    ),
    'asked about by the bank': going(paid, takenBack('paid', { inquiry: true }), bankDecides('won')),
    'reported as fraud before delivery': going(paid, warned, settled),
    'reported as fraud when delivered': going(...delivered, warned, by('buyer', 'accept')),
    'tipped, declined, never confirmed': going(
      ...delivered,
      by('buyer', 'accept'),
      by('buyer', 'tip'),
      (id) => codeOf(ask(id, 'buyer', 'tip', { amount: usd(500), paymentMethod: 'pm_card_visa_chargeDeclined' })),
      by('buyer', 'tip', { amount: usd(700), paymentMethod: 'pm_card_authenticationRequired' }),
      after(PAY_WITHIN_MS),
      after(CLEARING_MS),
    ),
    'the buyer disputes, the seller agrees': going(...disputed, by('seller', 'dispute/answer')),
    'the buyer disputes, silence': going(...disputed, after(DISPUTE_ANSWER_MS)),
    'the buyer disputes and withdraws': going(...disputed, by('buyer', 'dispute/withdraw')),
    'the buyer disputes, contested, all of it back': going(
      ...disputed,
      by('seller', 'dispute/answer', { agree: false }),
      resolve(5575),
    ),
    'the seller disputes, contested, split': going(
      paid,
      by('seller', 'dispute'),
      by('buyer', 'dispute/answer', { agree: false }),
      resolve(1000),
    ),
    'the seller disputes, nothing back': going(paid, by('seller', 'dispute'), resolve(0)),
    'the seller disputes, the buyer agrees': going(paid, by('seller', 'dispute'), by('buyer', 'dispute/answer')),
    'the seller disputes, silence': going(paid, by('seller', 'dispute'), after(DISPUTE_ANSWER_MS)),
    'the seller disputes and withdraws': going(paid, by('seller', 'dispute'), by('seller', 'dispute/withdraw')),
    'disputed while clearing': going(...delivered, by('buyer', 'accept'), by('buyer', 'dispute'), resolve(100)),
  }
}
