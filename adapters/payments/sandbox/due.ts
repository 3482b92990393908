// What changes because time passed. Caught up on every access, so nobody sees a state whose time is over, and on each
// tick.
import { settle } from './balance.ts'
import { chargeDue, disputeDue } from './disputes.ts'
import { forgetOldKeys } from './idempotency.ts'
import { payoutDue } from './payouts.ts'
import { refundDue } from './refunds.ts'
import type { Stored } from './store.ts'
import type { World } from './world.ts'

/** How many objects one catching up moves; the rest follow on the next access or tick. */
export const DUE_PER_CATCH_UP_MAX = 5_000

const DUE: Record<string, (world: World, stored: Stored) => void> = {
  balance_transaction: settle,
  charge: chargeDue,
  dispute: disputeDue,
  payout: payoutDue,
  refund: refundDue,
}

export const catchUp = (world: World): void => {
  const now = world.now()
  const caused = { ...world, request: null }
  for (let moved = 0; moved < DUE_PER_CATCH_UP_MAX; moved += 1) {
    const stored = world.store.nextDue(now)
    if (!stored) break
    DUE[stored.body.object]?.(caused, stored)
  }
  forgetOldKeys(world)
}
