// What card banks do to payments: they ask, take back, decide, change their mind, or warn of fraud; early, late, for all of it
// or a part, in any state of the order.
import type { Dispute, FraudWarning } from '../../adapters/payments/index.ts'
import type { World } from './world.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const FEE = 1500
export type Disputed = { paymentId: string; amount: { amount: number; currency: string } }
type Parts = {
  /** An object of its own has changed. */
  announce(objectType: string, objectId: string, paymentId: string): void
  /** Changes the platform's balance. */
  move(amount: number): void
  isRefunded(paymentId: string): boolean
  newId(prefix: string): string
}
export type Banks = ReturnType<typeof banks>

export const banks = (here: World, { announce, move, isRefunded, newId }: Parts) => {
  const { random } = here
  const disputes = new Map<string, Dispute>()
  const warnings = new Map<string, FraudWarning>()
  const ofPayment = (paymentId: string) => [...disputes.values()].filter((one) => one.paymentId === paymentId)
  const tell = ({ id, paymentId }: Dispute) => announce('dispute', id, paymentId)
  const later = (ms: number, dispute: Dispute, what: string, change: () => void) =>
    here.later(ms, `${dispute.id} ${what}`, async () => {
      change()
      here.count(`chargebacks: ${what}`)
      tell(dispute)
    })

  const take = (dispute: Dispute) => {
    dispute.inquiry = false
    dispute.status = 'needs_response'
    dispute.taken = dispute.amount.amount
    dispute.fees = FEE
    move(-dispute.taken - FEE)
    const decided = random.whole(HOUR, 15 * DAY)
    if (random.chance(0.45)) win(dispute, decided)
    else later(decided, dispute, 'lost', () => lose(dispute))
  }
  /** The verdict may come before the money. */
  const win = (dispute: Dispute, ms: number) => {
    const moneyMs = ms + (random.chance(0.3) ? random.whole(0, 3 * DAY) : 0)
    if (moneyMs > ms) later(ms, dispute, 'won, unpaid', () => (dispute.status = 'won'))
    later(moneyMs, dispute, 'won', () => {
      dispute.status = 'won'
      dispute.restored = dispute.taken
      move(dispute.restored)
    })
  }
  const lose = (dispute: Dispute) => {
    dispute.status = 'lost'
    if (random.chance(0.06)) win(dispute, random.whole(HOUR, 10 * DAY))
  }
  const open = ({ paymentId, amount }: Disputed) => {
    // No bank takes more of a payment than it came to, however often it disputes it.
    const left = amount.amount - ofPayment(paymentId).reduce((sum, one) => sum + one.amount.amount, 0)
    if (left < 1) return
    const part = random.chance(0.7) ? left : random.whole(1, left)
    const dispute: Dispute = {
      id: newId('dp'),
      paymentId,
      status: 'needs_response',
      amount: { ...amount, amount: part },
      inquiry: true,
      reason: 'fraudulent',
      taken: 0,
      restored: 0,
      fees: 0,
      evidenceDueAt: here.now() + 7 * DAY,
      createdAt: here.now(),
    }
    disputes.set(dispute.id, dispute)
    if (random.chance(0.75)) {
      take(dispute)
      here.count('chargebacks: taken')
    } else if (random.chance(0.6))
      later(random.whole(HOUR, 5 * DAY), dispute, 'question closed', () => (dispute.status = 'closed'))
    else later(random.whole(HOUR, 5 * DAY), dispute, 'taken after a question', () => take(dispute))
    tell(dispute)
  }
  const warn = ({ paymentId }: Disputed) => {
    const id = newId('issfr')
    const actionable = !isRefunded(paymentId) && ofPayment(paymentId).length === 0
    warnings.set(id, { id, paymentId, actionable, reason: 'made_with_stolen_card', createdAt: here.now() })
    here.count('fraud warnings')
    announce('radar.early_fraud_warning', id, paymentId)
  }

  return {
    /** What may become of a payment that succeeded. */
    watch: (paid: Disputed) => {
      if (random.chance(0.08))
        here.later(random.whole(0, 20 * DAY), `${paid.paymentId} is disputed`, async () => open(paid))
      if (random.chance(0.02))
        here.later(random.whole(0, 20 * DAY), `${paid.paymentId} is disputed again`, async () => open(paid))
      if (random.chance(0.03))
        here.later(random.whole(0, 10 * DAY), `${paid.paymentId} is warned of`, async () => warn(paid))
    },
    /** As long as its bank has the money, and when it keeps it, nothing of it can be given back. */
    isTaken: (paymentId: string) => ofPayment(paymentId).some(({ taken, restored }) => taken > restored),
    dispute: (id: string) => ({ ...disputes.get(id)! }),
    warning: (id: string) => ({ ...warnings.get(id)! }),
    told: () => [
      ...[...disputes.values()].map(({ id, paymentId }) => ({ objectType: 'dispute', objectId: id, paymentId })),
      ...[...warnings.values()].map(({ id, paymentId }) => ({
        objectType: 'radar.early_fraud_warning',
        objectId: id,
        paymentId,
      })),
    ],
  }
}
