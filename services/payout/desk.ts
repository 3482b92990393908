// Makes payouts: asks the ledger to set money aside and says so to the payment actor. Everything here may be done twice.
import type { Actor } from '../../mixins/actor.ts'
import type { Call } from '../../mixins/node.ts'
import { isRefused } from '../errors.ts'
import { asked, refused, reservation, scheduled, voided, type Asked, type PayoutDoc } from './item.ts'
import { REASONS } from './plan.ts'

export type Desk = {
  /** Makes the payout unless it exists, and sets its money aside. `conflict` when another one is on its way. */
  make(asked: Asked): Promise<PayoutDoc>
  /** The same for a run, where nobody waits for an answer: what is in the way is kept as the payout's end. */
  makeOrVoid(asked: Asked): Promise<PayoutDoc>
  /** Carries an asked payout on. */
  carryOn(doc: PayoutDoc): Promise<PayoutDoc>
}
type Parts = {
  items: Actor<PayoutDoc>
  call: Call
  /** Must a seller's money stay where it is for now? */
  isFrozen?(seller: string): Promise<boolean>
}

export const openDesk = ({ items, call, isFrozen }: Parts): Desk => {
  const make = async (wanted: Asked): Promise<PayoutDoc> =>
    carryOn(
      await items.turn(wanted.id, (state, now) => {
        if (state) return { result: state }
        const next = asked(wanted, now)
        return { next, result: next }
      }),
    )

  const makeOrVoid = (wanted: Asked): Promise<PayoutDoc> =>
    make(wanted).catch((error: unknown) => {
      if (!isRefused(error, 'conflict')) throw error
      return items.turn(wanted.id, (state, now) => {
        if (state) return { result: state }
        const next = refused(wanted, REASONS.in_flight, now)
        return { next, result: next }
      })
    })

  const carryOn = async (doc: PayoutDoc): Promise<PayoutDoc> => {
    if (doc.status !== 'asked' || (await isFrozen?.(doc.seller))) return doc
    const { outcomes } = await call('ledger.post', { entries: [reservation(doc)] })
    const isThere = outcomes[0] !== 'insufficient'
    // Answered once the payment actor has taken it up: what moves the clock sees what follows.
    return items.turn(doc.id, (state) => (isThere ? scheduled(state!) : voided(state!, REASONS.gone)), {
      settle: ['payment'],
    })
  }

  return { make, makeOrVoid, carryOn }
}
