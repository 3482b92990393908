// The product's own parts on virtual time: orders, ledger, payment operations and payouts, told of each other as the services
// tell each other. What is decided is decided by the product's code; only time, storage and transport are the simulation's.
import type { Said } from '../../mixins/actor.ts'
import type { Here } from '../../mixins/service.ts'
import type { Events } from '../../services/contract.ts'
import { isRefused } from '../../services/errors.ts'
import { balances, payableOf, type PayableQuery } from '../../services/ledger/balances.ts'
import { BEGINNING, chained } from '../../services/ledger/chain.ts'
import type { LedgerEntry, Posting } from '../../services/ledger/contract.ts'
import { decideAll } from '../../services/ledger/decision.ts'
import { mistakeOf } from '../../services/ledger/posting.ts'
import { heardMove, type HeardName } from '../../services/order/hearing.ts'
import * as moves from '../../services/order/moves.ts'
import { orders as orderCollection, type OrderDoc } from '../../services/order/state.ts'
import type { AnyOperation } from '../../services/payment/calls.ts'
import * as charge from '../../services/payment/charge.ts'
import type { ChargeDoc } from '../../services/payment/charge.ts'
import { newDisbursement } from '../../services/payment/disbursement.ts'
import { hearing } from '../../services/payment/hearing.ts'
import { openOperations, operations } from '../../services/payment/operations.ts'
import { newRefund } from '../../services/payment/refund.ts'
import type { Money } from '../../services/shapes.ts'
import { MINIMUMS, runId, withdrawal } from '../../services/payout/plan.ts'
import { started } from '../../services/payout/run.ts'
import { coversOf } from '../../services/payout/schedule.ts'
import { memory, type Hears } from './memory.ts'
import { payouts, type Workers } from './payouts.ts'
import { provider, type Event } from './provider.ts'
import type { World } from './world.ts'

export const CURRENCY = 'usd'
export type Market = Awaited<ReturnType<typeof market>>
export type Watch = {
  entered(entry: LedgerEntry, book: Ledger): void
  ordered(order: OrderDoc): void
  /** Whoever hears of orders: buyers and sellers. */
  people: Hears[string]
}

export const market = async (here: World, watch: Watch) => {
  const ledger = openLedger(here, watch)
  /** All that was said, to be said once more. */
  const words: { said: Said; id: string }[] = []
  const hears: Hears = { people: watch.people }
  const options = { hears, said: (said: Said, id: string) => void words.push({ said, id }) }

  const orders = memory<OrderDoc>(here, orderCollection, {
    ...options,
    wake: (state, now) => decided(moves.wake(state, now)),
    stored: (_before, order) => watch.ordered(order),
  })
  const { items, runs, openWorkers, hears: ofPayouts } = payouts(here, options)

  /** Keys whose refusal is in our own store. */
  const refused = new Set<string>()
  const noteRefusal = (_before: AnyOperation | null, { call }: AnyOperation) => {
    if (call && call.state !== 'under_way' && call.lastError?.kind.startsWith('definitive')) refused.add(call.key)
  }
  const bank = provider(
    here,
    (event) => hearWebhook(event),
    (key) => refused.has(key),
  )
  let book!: ReturnType<typeof memory<AnyOperation>>
  const inside = {
    log: { warn: () => undefined, error: () => undefined, info: () => undefined, debug: () => undefined },
    get instanceId() {
      return here.instance()
    },
    isRunning: (instance: string) => instance === here.instance(),
    clock: { now: here.now },
    actor: async ({ wake }: { wake: never }) =>
      (book = memory<AnyOperation>(here, operations, { ...options, wake, stored: noteRefusal })),
  } as unknown as Here
  const all = await openOperations(inside, {
    payments: bank.port,
    returnUrl: '',
    accountMetadata: {},
    refundsOfOthers: async ({ id, paymentId }) =>
      new Set(
        [...book.docs.values()].flatMap((doc) =>
          doc.kind === 'refund' && doc.paymentId === paymentId && doc.id !== id && doc.refundId ? [doc.refundId] : [],
        ),
      ),
    // Their webhooks come in the end: what was refused before them is only told earlier.
    disputed: async () => undefined,
  })
  const find = async (_of: unknown, { equals }: { equals: { paymentId: string; kind: string } }) => ({
    docs: [...book.docs.values()].filter(
      (doc) => doc.kind === equals.kind && 'paymentId' in doc && doc.paymentId === equals.paymentId,
    ),
    next: null,
  })
  const apply = hearing({ find } as never, all, inside.log)
  const heard = ({ op, ...event }: Event) => apply({ type: '', metadata: op === undefined ? {} : { op }, ...event })
  // Kept, so worked on until it was: the provider's refusals and our own deaths only delay it.
  const hearWebhook = (event: Event) => {
    const name = event.op ?? event.objectId
    const work = async () => {
      await heard(event).catch(() => {
        here.count('webhooks tried again')
        again()
      })
    }
    const again = () => here.later(2000, `webhook of ${name} again`, work, { left: again })
    here.later(0, `sync of ${name}`, work, { left: again })
  }

  // ---- payment.begin and payment.confirm, whose pauses are real time in the service
  const begin = async (id: string, asked: { order?: string; buyer: string; amount: Money; description: string }) => {
    await book.turn(id, (state, now) =>
      state ? { result: null } : { next: charge.newCharge(id, asked, now), result: null },
    )
    await all.drive(id, { eager: true })
    return chargeOf(book.docs.get(id))
  }
  const confirm = async (id: string): Promise<ChargeDoc> => {
    await book.turn(id, (state) => {
      const doc = chargeOf(state)
      const mayConfirm =
        !charge.isOver(doc) && doc.state !== 'processing' && !doc.abandoned && !doc.stuck && doc.paymentId
      return mayConfirm ? { next: charge.confirming(doc, 'pm_card_visa'), result: null } : { result: null }
    })
    for (let tries = 0; ; tries++) {
      await all.drive(id, { eager: true })
      const doc = chargeOf(book.docs.get(id))
      if ((doc.goal !== 'confirm' && doc.goal !== 'look') || tries >= 4) return doc
      await here.pause(250 * 2 ** tries, `${id} is confirmed again`)
    }
  }

  // ---- payouts: the desk and the runner of the process that runs now; what a dead one had begun is gone with it
  let workers: (Workers & { of: string }) | null = null
  const call = async (action: string, params: { entries: Posting[]; user: string } & PayableQuery) => {
    if (action === 'ledger.post') return { outcomes: ledger.post(params.entries) }
    if (action === 'payment.payee') return payee(params.user)
    const read = payableOf(ledger.sums, params)
    // What is read is old by the time it is used.
    if (here.faulty && here.random.chance(0.3)) await here.pause(here.random.whole(0, 5000), 'sellers are read')
    return read
  }
  const processNow = (): Workers => {
    const of = here.instance()
    if (workers?.of !== of) workers = { of, ...openWorkers(call as never) }
    return workers
  }
  const onboarded = new Set<string>()
  const payee = (user: string) => ({ account: `acct_${user}`, payoutsEnabled: onboarded.has(user) })
  const startRun = (date: string, again: boolean) =>
    runs.turn(runId(date), (state, now) =>
      started(
        state,
        { id: runId(date), date, currencies: [CURRENCY], covers: coversOf(date, null), by: null, again },
        now,
      ),
    )
  const withdraw = async (id: string, seller: string) => {
    const has = { amount: 0 - ledger.sums.of(`available:${seller}`, CURRENCY), currency: CURRENCY }
    const asked = { ...payee(seller), id, seller, run: null }
    try {
      await processNow().desk.make({ ...asked, amount: withdrawal(undefined, has, MINIMUMS, asked) })
    } catch (error) {
      if (!isRefused(error, 'conflict') && !isRefused(error, 'insufficient_balance')) throw error
    }
  }

  // ---- what each service hears
  const enter = async ({ entries }: { entries: Posting[] }) => {
    const outcomes = ledger.post(entries)
    const short = entries.find((_, at) => outcomes[at] === 'insufficient')
    here.must('I5 nothing is overdrawn', !short, () => `${short!.id} was refused`)
  }
  const ofOrder =
    <E extends HeardName>(name: E) =>
    (data: Events[E] & { order: string }) =>
      orders.turn(data.order, (state, now) => decided(heardMove(name, state!, data, now)))
  type Refund = { order: string; charge?: string; refund: string; amount: Money; code: string }
  Object.assign(hears, {
    ledger: { 'order.posted': enter, 'payout.posted': enter },
    order: {
      'payment.succeeded': ofOrder('payment.succeeded'),
      'payment.refunded': ofOrder('payment.refunded'),
      'payment.disputed': ofOrder('payment.disputed'),
      'payment.dispute.closed': ofOrder('payment.dispute.closed'),
      'payment.warned': ofOrder('payment.warned'),
      'payment.refund.failed': ofOrder('payment.refund.failed'),
    },
    payment: {
      'payment.due': ({ operation }: { operation: string }) => all.drive(operation),
      'order.abandoned': async ({ order, charge: further }: { order: string; charge?: string }) => {
        const id = further ?? order
        await book.turn(id, (state, now) => {
          const next = charge.givenUp(state && chargeOf(state), id, now)
          return { ...(next && { next }), result: null }
        })
        await all.drive(id)
      },
      'order.refund.requested': async ({ order, charge: further, refund, amount }: Refund) => {
        const { paymentId } = chargeOf(book.docs.get(further ?? order))
        await book.turn(refund, (state, now) =>
          state
            ? { result: null }
            : { next: newRefund(refund, { order, amount, paymentId: paymentId! }, now), result: null },
        )
        await all.drive(refund)
      },
      'payout.reserved': async ({
        payout,
        ...asked
      }: {
        payout: string
        seller: string
        account: string
        amount: Money
      }) => {
        await book.turn(payout, (state, now) =>
          state ? { result: null } : { next: newDisbursement(payout, asked, now), result: null },
        )
        await all.drive(payout)
      },
    },
    payout: ofPayouts(processNow),
  })
  return {
    ledger,
    orders,
    items,
    runs,
    book,
    bank,
    hears,
    words,
    heard,
    begin,
    confirm,
    startRun,
    withdraw,
    onboarded,
  }
}

export const decided = (moved: moves.Moved | null) => (moved ? { ...moved, result: null } : { result: null })
const chargeOf = (doc: AnyOperation | null | undefined): ChargeDoc => {
  if (doc?.kind !== 'charge') throw new Error(`${doc?.id} is no charge`)
  return doc
}

export type Ledger = ReturnType<typeof openLedger>
/** The book: the ledger's own decisions, sums and chain. */
const openLedger = ({ must }: World, watch: Watch) => {
  const sums = balances()
  const known = new Map<string, LedgerEntry>()
  const entries: LedgerEntry[] = []
  const post = (wanted: readonly Posting[]) => {
    for (const one of wanted)
      must('I1 every entry sums to zero', mistakeOf(one) === null, () => `${one.id}: ${mistakeOf(one)}`)
    const { verdicts, accepted } = decideAll([wanted], sums, known)
    const verdict = verdicts[0]!
    if ('error' in verdict) return (must('one entry, one meaning', false, verdict.error.message), [])
    for (const entry of chained(entries.at(-1) ?? BEGINNING, accepted)) {
      known.set(entry.id, entry)
      entries.push(entry)
      sums.apply(entry.legs)
      watch.entered(entry, ledger)
    }
    return verdict.outcomes
  }
  const owed = (account: string) => 0 - sums.of(account, CURRENCY)
  const ledger = { sums, entries, post, owed }
  return ledger
}
