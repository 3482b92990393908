// Payments: the only actor that talks to the payment provider. Key: the operation, named by what it pays for (an order, a
// refund, a payout, a seller). Intent is stored before a call and its outcome after it; nothing is called inside a turn.
import { PaymentsError, type BalanceTransaction } from '../../adapters/payments/index.ts'
import { pages } from '../../mixins/every.ts'
import { opsOf } from '../../mixins/ops.ts'
import { service } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import { LIMIT_DEFAULT } from '../shapes.ts'
import { backfill, BACKFILL_EVERY_MS, paymentBackfill } from './backfill.ts'
import * as charge from './charge.ts'
import type { ChargeDoc } from './charge.ts'
import { answerChargeback, listChargebacks } from './chargebacks.ts'
import type { AnyOperation, Provider } from './calls.ts'
import { payment as contract, type ProviderTransaction } from './contract.ts'
import { newDisbursement } from './disbursement.ts'
import { gauges } from './gauges.ts'
import { concerns, hearing } from './hearing.ts'
import { settledCall, UNDER_WAY_MS } from './operation.ts'
import { operations, openOperations, type Operations } from './operations.ts'
import { background, type Background } from './background.ts'
import { holds, openHolds } from './holds.ts'
import { paced } from './pace.ts'
import { askedAgain, newPayee, type PayeeDoc } from './payee.ts'
import { newRefund } from './refund.ts'
import { repeated } from '../../mixins/repeated.ts'
import { publicOperation } from './standing.ts'
import { openWebhooks, paymentEvents } from './webhooks.ts'

export default service(contract, async (here) => {
  const payments = await here.open('payments')
  const documents = await here.open('documents')
  await documents.declare([paymentEvents, paymentBackfill, holds] as never)
  const { publicUrl, sandbox } = here.settings
  const warn = (...args: unknown[]) => here.log.warn(...args)
  const provider: Provider = {
    payments,
    returnUrl: `${publicUrl}/orders`,
    accountMetadata: sandbox ? { onboarding: 'auto' } : {},
    refundsOfOthers: async ({ id, paymentId }) => {
      const { docs } = await documents.find(operations, { index: 'byPayment', equals: { paymentId, kind: 'refund' } })
      return new Set(
        docs.flatMap((doc) => (doc.kind === 'refund' && doc.id !== id && doc.refundId ? [doc.refundId] : [])),
      )
    },
    disputed: async (paymentId) => {
      for (const { id } of await payments.findDisputes(paymentId))
        await hear({ type: 'refund refused', objectId: id, objectType: 'dispute', metadata: {}, paymentId })
    },
  }
  // The sandbox takes as many calls as come.
  const pace = payments.provider === 'stripe' ? paced(Date.now) : undefined
  const held = openHolds(documents)
  const { registry } = opsOf(here.broker)
  const calls = registry.counter(
    'gigwire_payment_calls_total',
    'Calls to the provider, by name and outcome: taken, or the class of its failure',
  )
  const shown = gauges(registry, documents, here.clock.now)
  const all = await openOperations(here, provider, {
    pace,
    isHeld: held.isHeld,
    counted: (call, outcome) => calls({ call, outcome }).add(),
  })
  const later =
    pace &&
    background({ pace, nextCall: all.nextCall, drive: (id, slot) => all.drive(id, { slot }), sleep: pause, warn })
  /** Reading of the provider's books, too, leaves room for people. */
  const slotFor = async (name: 'list'): Promise<void> => {
    for (let pauseMs = pace?.wait(name) ?? 0; pauseMs > 0; pauseMs = pace?.wait(name) ?? 0) await pause(pauseMs)
  }
  /** Where calls have a pace nobody waits for the call, only for the operation to be kept. */
  const inBackground = async (id: string): Promise<void> => (later ? later.offer(id) : all.drive(id))
  const hear = hearing(documents, all, here.log)
  const webhooks = openWebhooks(documents, here.log, hear)
  const catchUp = (eager: boolean) =>
    backfill({ documents, payments, receive: webhooks.receive, concerns, now: here.clock.now }, { eager })
  /** What a process that died had waiting in memory is taken up at the start, not when its timers come. */
  const takeUp = async (line: Background): Promise<void> => {
    const due = { index: 'byWake', to: here.clock.now() + UNDER_WAY_MS, limit: TAKE_UP_PAGE }
    for await (const docs of pages(documents, operations, due)) for (const { id } of docs) line.offer(id)
  }
  const looking = repeated(LOOK_MS, here.log, 'looking at open operations', shown.look)
  const catchingUp = repeated(BACKFILL_EVERY_MS, here.log, "asking for the provider's past events", async () => {
    // A market where nobody has paid yet has missed nothing, and needs no client of the provider.
    const { docs } = await documents.find(operations, { index: 'byPayment', limit: 1 })
    return docs.length > 0 ? catchUp(false) : 0
  })

  return {
    actions: {
      begin: async ({ params: { order, charge: further, ...asked } }) => {
        const id = further ?? order
        await all.book.turn(id, (state, now) => {
          if (!state) {
            const next = charge.newCharge(id, { ...asked, ...(further !== undefined && { order }) }, now)
            return { next, result: null }
          }
          const same =
            state.kind === 'charge' &&
            state.amount.amount === asked.amount.amount &&
            state.amount.currency === asked.amount.currency
          if (!same && !chargeOf(state).abandoned) throw refuse('conflict', `${id} has a payment over another amount`)
          return { result: null }
        })
        await all.drive(id, { eager: true })
        // Somebody else may be at it: two who begin at once get the one payment.
        await waitWhileUnderWay(all, id, Date.now() + BEGIN_WAIT_MS)
        const doc = chargeOf(await all.book.read(id))
        if (doc.abandoned && !doc.paymentId) throw refuse('conflict', 'the order was given up')
        if (!doc.paymentId) throw doc.stuck ? refuse('conflict', doc.stuck.message) : unreachable()
        return intentOf(payments.provider, doc)
      },
      confirm: async ({ params: { order, charge: further, paymentMethod } }) => {
        const id = further ?? order
        const method = paymentMethod ?? (await methodOf(all, payments.provider, order))
        const doc =
          method === null
            ? chargeOf(await all.book.read(id))
            : await confirm(all, id, { method, returnUrl: provider.returnUrl })
        return intentOf(payments.provider, doc)
      },
      onboard: async ({ params: { user, ...asked } }) => {
        const payee = await payeeWith(all, user, asked)
        const back = `${publicUrl}/account/payouts`
        return { url: await payments.onboardingLink(payee.accountId!, { refresh: back, return: back }).catch(explain) }
      },
      forget: async ({ params: { user } }) => {
        await all.book.turn(user, (state) =>
          state?.kind === 'payee' && state.email !== ''
            ? { next: { ...state, email: '' }, result: null }
            : { result: null },
        )
        return {}
      },
      payee: async ({ params: { user } }) => {
        const known = await all.book.read(user)
        if (known?.kind !== 'payee') return payeeView(null)
        if (!known.payoutsEnabled)
          await all.sync(user).catch((error) => here.log.warn(`looking at the account of ${user}:`, error))
        return payeeView(payeeOf((await all.book.read(user)) ?? known))
      },
      settings: () => ({ provider: payments.provider, publishableKey: payments.publishableKey }),
      chargebacks: ({ params }) => listChargebacks(documents, params),
      answerChargeback: ({ params: { id, evidence } }) => answerChargeback(all, id, evidence),
      acceptChargeback: ({ params: { id } }) => answerChargeback(all, id, null),
      webhook: async ({ params: { body, signature } }) => {
        const event = await payments.verifyWebhook(Buffer.from(body, 'base64'), signature).catch(explain)
        await webhooks.receive(event)
        return { received: true }
      },
      backfill: async () => ({ seen: await catchUp(true) }),
      operations: async ({ params: { standing = 'unknown', limit = LIMIT_DEFAULT, cursor } }) => {
        const { docs, next } = await documents.find(operations, {
          index: 'byStanding',
          equals: { standing },
          limit,
          cursor: cursor ?? null,
        })
        return { data: docs.map(publicOperation), nextCursor: next }
      },
      operation: async ({ params: { id } }) => publicOperation(operationOf(await all.book.read(id))),
      retry: async ({ params: { id } }) => {
        await all.book.turn(id, (state, now) => {
          const doc = operationOf(state)
          if (!doc.stuck) throw refuse('invalid_transition', 'it is not stuck')
          return { next: { ...settledCall(doc), stuck: null, wakeAt: now }, result: null }
        })
        await inBackground(id)
        return publicOperation(operationOf(await all.book.read(id)))
      },
      transactions: async ({ params: { since, after = null, limit } }) => {
        await slotFor('list')
        const { data, next } = await payments.balanceTransactions({ since, after, limit }).catch(explain)
        return { data: data.map(statementLine), next }
      },
      providerBalance: async () => {
        await slotFor('list')
        const { available, pending } = await payments.balance().catch(explain)
        return { balance: added(available, pending) }
      },
      tick: async () => {
        await payments.tick?.()
        return {}
      },
    },
    hears: {
      'payment.due': ({ data }) => inBackground(data.operation),
      'order.abandoned': async ({ data }) => {
        const order = data.charge ?? data.order
        await all.book.turn(order, (state, now) => {
          const next = charge.givenUp(state && chargeOf(state), order, now)
          return { ...(next && { next }), result: null }
        })
        await all.drive(order)
      },
      'order.refund.requested': async ({ data: { order, charge: further, refund, amount } }) => {
        const paid = chargeOf(await all.book.read(further ?? order))
        if (paid.state !== 'succeeded' || !paid.paymentId)
          throw new Error(`${paid.id} was never paid, there is nothing to refund`)
        const { paymentId } = paid
        await all.book.turn(refund, (state, now) =>
          state ? { result: null } : { next: newRefund(refund, { order, amount, paymentId }, now), result: null },
        )
        await all.drive(refund)
      },
      'payout.reserved': async ({ data: { payout, ...asked } }) => {
        await all.book.turn(payout, (state, now) =>
          state ? { result: null } : { next: newDisbursement(payout, asked, now), result: null },
        )
        await inBackground(payout)
      },
      'payout.frozen': ({ data: { scope, frozen, change } }) => held.set(scope, frozen, change),
    },
    started: async () => {
      webhooks.start()
      catchingUp.start()
      looking.start()
      if (later) await takeUp(later)
    },
    stopped: async () => {
      await looking.stop()
      await catchingUp.stop()
      await webhooks.stop()
      await later?.stop()
    },
  }
})

/** Operations read at once when a process starts. */
const TAKE_UP_PAGE = 500
/** How often the numbers about operations are brought up to date. */
const LOOK_MS = 30_000

const chargeOf = (doc: AnyOperation | null): ChargeDoc => {
  if (doc?.kind !== 'charge') throw refuse('not_found', 'there is no payment for that order')
  return doc
}
const operationOf = (doc: AnyOperation | null): AnyOperation => {
  if (!doc) throw refuse('not_found', 'there is no such operation')
  return doc
}
const payeeOf = (doc: AnyOperation | null): PayeeDoc => {
  if (doc?.kind !== 'payee') throw refuse('not_found', 'there is no account for that person')
  return doc
}

const payeeView = (doc: PayeeDoc | null) => ({
  account: doc?.accountId ?? null,
  payoutsEnabled: doc?.payoutsEnabled ?? false,
  requirements: doc?.requirements ?? [],
  requirementsDueAt: doc?.requirementsDueAt ?? null,
  heldFor: doc?.heldFor ?? null,
})

const statementLine = ({ sourceId: source, ...one }: BalanceTransaction): ProviderTransaction => {
  const { id, type, amount, fee, net, currency, op, createdAt } = one
  return { id, type, amount, fee, net, currency, source, ...(op !== undefined && { op }), createdAt }
}

const added = (one: Record<string, number>, other: Record<string, number>): Record<string, number> => {
  const sums = { ...one }
  for (const [currency, amount] of Object.entries(other)) sums[currency] = (sums[currency] ?? 0) + amount
  return sums
}

const unreachable = () =>
  refuse('unavailable', "the payment provider can't be reached right now", { retryAfterSeconds: 2 })

/** The provider's refusal in the words a client understands. */
const explain = (error: unknown): never => {
  if (!(error instanceof PaymentsError)) throw error
  if (error.kind === 'bad_signature') throw refuse('bad_signature', error.message)
  throw error.kind === 'definitive' || error.kind === 'bug' ? refuse('conflict', error.message) : unreachable()
}

const intentOf = (provider: string, { paymentId, clientSecret, state, nextAction, declined }: ChargeDoc) => ({
  provider,
  paymentId: paymentId!,
  clientSecret,
  status: state === 'payable' ? 'requires_payment_method' : state,
  ...(nextAction && { nextAction }),
  ...(declined && { declined }),
})

/** Tries of a confirmation while its buyer waits; after them its timer finds out what became of it. */
const CONFIRM_TRIES = 4
const CONFIRM_PAUSE_MS = 250
/** The longest a buyer waits for somebody else's beginning of the same payment: within a call's time. */
const BEGIN_WAIT_MS = 5000
/** The longest a buyer waits for somebody else's confirmation of the same payment. */
const CONFIRM_WAIT_MS = 10_000

/** What the order was paid with, where that may be charged again without its buyer; at Stripe the buyer confirms. */
const methodOf = async (all: Operations, provider: string, order: string): Promise<string | null> =>
  provider === 'sandbox' ? chargeOf(await all.book.read(order)).paymentMethod : null

type Confirmed = { method: string; returnUrl: string }
const confirm = async (all: Operations, order: string, { method, returnUrl }: Confirmed): Promise<ChargeDoc> => {
  const until = Date.now() + CONFIRM_WAIT_MS
  await waitWhileUnderWay(all, order, until)
  await all.book.turn(order, (state) => {
    const doc = chargeOf(state)
    if (charge.isOver(doc) || doc.state === 'processing') return { result: null }
    if (doc.abandoned) throw refuse('invalid_transition', 'the order was given up')
    if (doc.stuck) throw refuse('unavailable', 'this payment needs a look by the platform first')
    return { next: charge.confirming(doc, method, returnUrl), result: null }
  })
  for (let tries = 0; ; tries++) {
    await all.drive(order, { eager: true })
    const doc = chargeOf(await all.book.read(order))
    if (doc.state === 'canceled') throw refuse('invalid_transition', 'the payment was canceled')
    if (doc.goal !== 'confirm' && doc.goal !== 'look') return doc
    if (tries >= CONFIRM_TRIES || Date.now() > until) throw unreachable()
    await pause(CONFIRM_PAUSE_MS * 2 ** tries)
  }
}

const waitWhileUnderWay = async (all: Operations, order: string, until: number): Promise<void> => {
  while (Date.now() < until && (await all.isUnderWay(order))) await pause(100)
}

const payeeWith = async (
  all: Operations,
  user: string,
  asked: { email: string; country: string },
): Promise<PayeeDoc> => {
  await all.book.turn(user, (state, now) => ({
    next: state ? askedAgain(payeeOf(state), asked) : newPayee(user, asked, now),
    result: null,
  }))
  await all.drive(user, { eager: true })
  const payee = payeeOf(await all.book.read(user))
  if (payee.refusal ?? payee.stuck) throw refuse('conflict', (payee.refusal ?? payee.stuck)!.message)
  if (!payee.accountId) throw unreachable()
  return payee
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
