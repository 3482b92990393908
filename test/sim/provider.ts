// The provider as the simulation has it: balances, keys with their stored answers, objects that change later, and faults.
// It fails as the real one does, through the adapter's own table of errors.
import { paymentsError } from '../../adapters/payments/errors.ts'
import type { BankPayout, Payments, Refund, Transfer } from '../../adapters/payments/index.ts'
import type { World } from './world.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
/** `told`: somebody has got it. */
type Answer = { value?: unknown; error?: object; at: number; told?: true }
export type Tell = (op: string, snapshot: BankPayout | null) => void

export const provider = (here: World, tell: Tell) => {
  const { random } = here
  const keys = new Map<string, Answer>()
  const transfers = new Map<string, Transfer>()
  const refunds = new Map<string, Refund & { op: string }>()
  const payouts = new Map<string, BankPayout & { op: string; accountId: string }>()
  const connected = new Map<string, number>()
  let psp = 0
  let replayedRefusals = 0
  let objects = 0
  const add = (account: string, amount: number) => connected.set(account, (connected.get(account) ?? 0) + amount)
  const fail = (statusCode: number, code?: string) => ({ statusCode, message: code ?? 'failed', ...(code && { code }) })

  /** Repeated by chance, late by chance, so in any order. */
  const announce = (op: string, snapshot: BankPayout | null) => {
    const again = random.chance(0.25) ? 2 : 1
    for (let at = 0; at < again; at++) {
      const late = here.faulty && random.chance(0.06) ? random.whole(0, 3 * DAY) : random.whole(0, 5000)
      here.later(late, `webhook of ${op}`, async () => tell(op, snapshot && { ...snapshot }))
    }
  }

  const changing = async <T>(key: string, execute: () => T): Promise<T> => {
    await here.mayCrash()
    const lot = here.faulty ? random.next() : 1
    if (lot < 0.04) throw paymentsError(fail(0))
    if (lot < 0.09) throw paymentsError(fail(429, 'rate_limit'))
    const before = keys.get(key)
    let answer: Answer
    if (before && here.now() - before.at < 24 * HOUR) {
      answer = before
      here.count('keys sent again')
      if (before.told && before.error && (before.error as { statusCode: number }).statusCode < 500) replayedRefusals++
    } else {
      answer = { at: here.now() }
      const half = lot < 0.12 ? random.chance(0.5) : null
      try {
        if (lot >= 0.12 && lot < 0.16) throw fail(400, 'balance_insufficient')
        if (half !== false) answer.value = execute()
      } catch (error) {
        answer.error = error as object
      }
      if (half !== null) answer.error = fail(500)
      keys.set(key, answer)
    }
    // Executed, but the caller dies or the answer gets lost or comes after everybody has given it up.
    await here.mayCrash()
    if (here.faulty && random.chance(0.06)) throw paymentsError(fail(0))
    if (here.faulty && random.chance(0.03))
      await new Promise<void>((resolve) => here.later(2 * 60_000, `late answer to ${key}`, async () => resolve()))
    answer.told = true
    if (answer.error) throw paymentsError(answer.error)
    return structuredClone(answer.value) as T
  }
  const looking = async <T>(look: () => T): Promise<T> => {
    await here.mayCrash()
    const lot = here.faulty ? random.next() : 1
    if (lot < 0.04) throw paymentsError(fail(0))
    if (lot < 0.09) throw paymentsError(fail(429, 'rate_limit'))
    return structuredClone(look())
  }

  const goOn = (id: string, ms: number, status: BankPayout['status'], from: BankPayout['status']) =>
    here.later(ms, `${id} is ${status}`, async () => {
      const payout = payouts.get(id)!
      if (payout.status !== from) return
      payout.status = status
      if (status === 'failed') {
        payout.failure = { code: 'account_closed', message: 'the bank refused it' }
        add(payout.accountId, payout.amount.amount)
      }
      announce(payout.op, payout)
    })

  const port: Partial<Payments> = {
    refund: ({ paymentId, amount, metadata }, key) =>
      changing(key, () => {
        const refund = { id: `re_${++objects}`, status: 'succeeded' as const, amount, paymentId, op: metadata.op! }
        refunds.set(refund.id, refund)
        psp -= amount.amount
        announce(refund.op, null)
        return refund
      }),
    retrieveRefund: (id) => looking(() => refunds.get(id)!),
    findRefunds: (paymentId) => looking(() => [...refunds.values()].filter((one) => one.paymentId === paymentId)),
    transfer: ({ accountId, amount, metadata }, key) =>
      changing(key, () => {
        if (psp < amount.amount) throw fail(400, 'balance_insufficient')
        const transfer = { id: `tr_${++objects}`, amount, accountId, reversed: 0, metadata }
        transfers.set(transfer.id, transfer)
        psp -= amount.amount
        add(accountId, amount.amount)
        return transfer
      }),
    retrieveTransfer: (id) => looking(() => transfers.get(id)!),
    findTransfers: (op) => looking(() => [...transfers.values()].filter(({ metadata }) => metadata.op === op)),
    reverseTransfer: (id, { amount }, key) =>
      changing(key, () => {
        const transfer = transfers.get(id)!
        if ((connected.get(transfer.accountId) ?? 0) < amount.amount) throw fail(400, 'balance_insufficient')
        transfer.reversed += amount.amount
        psp += amount.amount
        add(transfer.accountId, -amount.amount)
        return transfer
      }),
    payout: ({ accountId, amount, metadata }, key) =>
      changing(key, () => {
        if ((connected.get(accountId) ?? 0) < amount.amount) throw fail(400, 'balance_insufficient')
        const payout = { id: `bp_${++objects}`, status: 'pending' as const, amount, op: metadata.op!, accountId }
        payouts.set(payout.id, payout)
        add(accountId, -amount.amount)
        const lot = here.faulty ? random.next() : 1
        if (lot < 0.04) goOn(payout.id, DAY, 'failed', 'pending')
        else goOn(payout.id, random.whole(HOUR, 2 * DAY), 'paid', 'pending')
        if (lot >= 0.04 && lot < 0.08) goOn(payout.id, random.whole(2 * DAY + 1, 5 * DAY), 'failed', 'paid')
        return payout
      }),
    retrievePayout: (_account, id) => looking(() => payouts.get(id)!),
    findPayouts: (_account, op) => looking(() => [...payouts.values()].filter((one) => one.op === op)),
  }
  return {
    port: port as Payments,
    charge: (amount: number, fee: number) => (psp += amount - fee),
    psp: () => psp,
    connected,
    made: () =>
      [...transfers.values()]
        .map(({ metadata }) => `transfer ${metadata.op}`)
        .concat(
          [...refunds.values()].map(({ op }) => `refund ${op}`),
          [...payouts.values()].map(({ op }) => `payout ${op}`),
        ),
    overReversed: () => [...transfers.values()].filter(({ reversed, amount }) => reversed > amount.amount),
    replayedRefusals: () => replayedRefusals,
  }
}
