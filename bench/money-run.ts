// A payout run of many sellers in virtual time: the product's own run, payouts, operations and pace against a provider that
// takes 25 calls a second of each kind, refuses some by chance, loses answers, fails after it ran, and a process that is
// killed again and again. Counted at the provider: who was paid twice, who not at all.
import type { BankPayout, Payments, Transfer } from '../adapters/payments/index.ts'
import { paymentsError } from '../adapters/payments/errors.ts'
import type { Here } from '../mixins/service.ts'
import { balances, payableOf } from '../services/ledger/balances.ts'
import { BEGINNING, chained } from '../services/ledger/chain.ts'
import type { LedgerEntry, Posting } from '../services/ledger/contract.ts'
import { decideAll } from '../services/ledger/decision.ts'
import { background } from '../services/payment/background.ts'
import type { AnyOperation } from '../services/payment/calls.ts'
import { newDisbursement } from '../services/payment/disbursement.ts'
import { UNDER_WAY_MS } from '../services/payment/operation.ts'
import { openOperations, operations } from '../services/payment/operations.ts'
import { paced, PROVIDER_PER_SECOND } from '../services/payment/pace.ts'
import { runId } from '../services/payout/plan.ts'
import { started } from '../services/payout/run.ts'
import { coversOf } from '../services/payout/schedule.ts'
import { random } from '../test/chaos/random.ts'
import { memory, type Hears } from '../test/sim/memory.ts'
import { payouts } from '../test/sim/payouts.ts'
import { table } from './harness.ts'
import { virtual, type Virtual } from './virtual.ts'

const LIMITED = 0.05
const LOST = 0.02
const FAILED_AFTER = 0.01
const ANSWER_MS: [number, number] = [80, 400]
const KILL_EVERY = 1000
/** From kill -9 until a new process takes up what is left. */
const RESTART_MS = 2000
const AMOUNT = 5000
const DATE = '2030-01-07'
const HOUR_MS = 3_600_000

export const payoutRun = async (sellers: number, seed: number) => {
  const here = virtual(random(seed), Date.UTC(2030, 0, 7))
  const began = performance.now()
  const market = await marketOf(here, sellers)
  const startedAt = here.now()
  await market.start()
  await here.goOn(() => market.sent() >= sellers, startedAt + 24 * HOUR_MS)
  const sentMs = here.now() - startedAt
  await here.goOn(() => market.isDone(), startedAt + 72 * HOUR_MS)
  const { problems, counts } = market.checked()
  if (problems.length > 0) throw new Error(`seed ${seed}: ${problems.slice(0, 5).join('; ')}`)
  const idealMs = (sellers / PROVIDER_PER_SECOND) * 1000
  console.log(
    `\nA payout run of ${sellers.toLocaleString('en')} sellers in virtual time: ${PROVIDER_PER_SECOND} calls/s of each kind, ${LIMITED * 100} % refused by chance, ${LOST * 100} % of answers lost, ${FAILED_AFTER * 100} % failed after they ran, killed every ${KILL_EVERY} transfers\n\n${table(
      ['Ideal', 'took', 'of ideal', 'kills', 'calls', 'over the limit', 'paid twice', 'not paid', 'real time'],
      [
        [
          `${idealMs / 1000} s`,
          `${(sentMs / 1000).toFixed(0)} s`,
          (sentMs / idealMs).toFixed(3),
          String(counts.kills),
          counts.calls!.toLocaleString('en'),
          String(counts.limited),
          '0',
          '0',
          `${((performance.now() - began) / 1000).toFixed(0)} s`,
        ],
      ],
    )}`,
  )
}

/** The provider: what really moved. */
const providerOf = (here: Virtual, tell: (op: string) => void) => {
  const chance = here.random.stream('provider')
  const transfers = new Map<string, Transfer>()
  const bankPayouts = new Map<string, BankPayout & { op: string }>()
  const answers = new Map<string, unknown>()
  const buckets = new Map<string, { tokens: number; at: number }>()
  const counts = { calls: 0, limited: 0, kills: 0 }
  let objects = 0
  const fail = (statusCode: number, code?: string) =>
    paymentsError({ statusCode, message: code ?? 'failed', ...(code && { code }) })

  /** A bucket of a second's calls per kind, filled as they are used. */
  const isOver = (endpoint: string): boolean => {
    const before = buckets.get(endpoint) ?? { tokens: PROVIDER_PER_SECOND, at: here.now() }
    const filled = before.tokens + ((here.now() - before.at) / 1000) * PROVIDER_PER_SECOND
    const tokens = Math.min(PROVIDER_PER_SECOND, filled)
    const isEmpty = tokens < 1
    buckets.set(endpoint, { tokens: isEmpty ? tokens : tokens - 1, at: here.now() })
    return isEmpty
  }
  const called = async <T>(endpoint: string, work: () => T): Promise<T> => {
    counts.calls++
    await here.pause(chance.whole(...ANSWER_MS) / 2, endpoint)
    if (isOver(endpoint)) {
      counts.limited++
      throw fail(429, 'rate_limit')
    }
    const lot = chance.next()
    if (lot < LIMITED) throw fail(429, 'rate_limit')
    if (lot < LIMITED + LOST / 2) throw fail(0)
    const value = work()
    if (lot >= 1 - FAILED_AFTER) throw fail(500)
    await here.pause(chance.whole(...ANSWER_MS) / 2, endpoint)
    if (lot < LIMITED + LOST) throw fail(0)
    return structuredClone(value)
  }
  const once = <T>(key: string, work: () => T): T => {
    if (!answers.has(key)) answers.set(key, work())
    return answers.get(key) as T
  }

  const port: Partial<Payments> = {
    transfer: ({ accountId, amount, metadata }, key) =>
      called('transfer', () => {
        const sent = once(key, () => {
          const transfer = { id: `tr_${++objects}`, amount, accountId, reversed: 0, metadata }
          transfers.set(transfer.id, transfer)
          return transfer
        })
        // Executed, not answered: the process that asked is gone.
        if (transfers.size % KILL_EVERY === 0 && transfers.size / KILL_EVERY > counts.kills) {
          counts.kills++
          here.kill(RESTART_MS)
        }
        return sent
      }),
    findTransfers: (op) =>
      called('transfers', () => [...transfers.values()].filter(({ metadata }) => metadata.op === op)),
    payout: ({ amount, metadata }, key) =>
      called('payout', () =>
        once(key, () => {
          const payout = { id: `bp_${++objects}`, status: 'pending' as const, amount, op: metadata.op! }
          bankPayouts.set(payout.id, payout)
          here.later(chance.whole(HOUR_MS, 40 * HOUR_MS), '', async () => {
            bankPayouts.get(payout.id)!.status = 'paid'
            tell(payout.op)
          })
          return payout
        }),
      ),
    findPayouts: (_account, op) => called('payouts', () => [...bankPayouts.values()].filter((one) => one.op === op)),
    retrievePayout: (_account, id) => called('look', () => bankPayouts.get(id)!),
  }
  return { port: port as Payments, transfers, bankPayouts, counts }
}

const marketOf = async (here: Virtual, sellers: number) => {
  const sums = balances()
  const known = new Map<string, LedgerEntry>()
  let last = BEGINNING
  const post = (wanted: readonly Posting[]) => {
    const { verdicts, accepted } = decideAll([wanted], sums, known)
    const verdict = verdicts[0]!
    if ('error' in verdict) throw verdict.error
    for (const entry of chained(last, accepted)) {
      known.set(entry.id, entry)
      sums.apply(entry.legs)
      last = entry
    }
    return verdict.outcomes
  }
  const names = Array.from({ length: sellers }, (_, number) => `usr_${String(number).padStart(6, '0')}`)
  for (const seller of names)
    sums.apply([
      { account: 'psp', amount: AMOUNT, currency: 'usd' },
      { account: `available:${seller}`, amount: 0 - AMOUNT, currency: 'usd' },
    ])

  const hears: Hears = {}
  let sent = 0
  const {
    runs,
    openWorkers,
    hears: ofPayouts,
  } = payouts(here, {
    hears,
    stored: (before, after) => {
      if (after.steps.includes('sent') && !before?.steps.includes('sent')) sent++
    },
  })
  let book!: ReturnType<typeof memory<AnyOperation>>
  const inside = {
    log: { warn: () => undefined, error: console.error, info: () => undefined, debug: () => undefined },
    get instanceId() {
      return here.instance()
    },
    isRunning: (instance: string) => instance === here.instance(),
    clock: { now: here.now },
    actor: async ({ wake }: { wake: never }) => (book = memory<AnyOperation>(here, operations, { hears, wake })),
  } as unknown as Here
  const hearWebhook = (op: string, ms: number): void =>
    here.later(ms, `webhook of ${op}`, () => all.sync(op).catch(() => hearWebhook(op, 2000)), {
      left: () => hearWebhook(op, 2000),
    })
  const bank = providerOf(here, (op) => hearWebhook(op, here.random.whole(0, 5000)))

  /** What lives in a process: the pace, what waits for it, and who works on runs. Gone with it. */
  const openProcess = () => {
    const pace = paced(here.now)
    const operationsOf = openOperationsOf(pace)
    const line = background({
      pace,
      nextCall: async (id) => (await operationsOf).nextCall(id),
      drive: async (id, slot) => (await operationsOf).drive(id, { slot }),
      sleep: (ms) => here.pause(ms, 'slot'),
      warn: console.error,
    })
    const call = (async (action: string, params: never) => {
      if (action === 'ledger.post') return { outcomes: post((params as { entries: Posting[] }).entries) }
      if (action === 'payment.payee')
        return { account: `acct_${(params as { user: string }).user}`, payoutsEnabled: true }
      return payableOf(sums, params)
    }) as never
    return { line, ...openWorkers(call) }
  }
  const provider = {
    payments: bank.port,
    returnUrl: '',
    accountMetadata: {},
    refundsOfOthers: async () => new Set<string>(),
    disputed: async () => undefined,
  }
  const openOperationsOf = (pace: ReturnType<typeof paced>) =>
    openOperations({ ...inside, instanceId: here.instance(), actor: async () => book } as never, provider, { pace })
  const all = await openOperations(inside, provider)
  let process = openProcess()
  here.onStart(() => {
    process = openProcess()
    // As the payment service does when it starts.
    for (const doc of book.docs.values())
      if (doc.wakeAt != null && doc.wakeAt <= here.now() + UNDER_WAY_MS) process.line.offer(doc.id)
  })

  Object.assign(hears, {
    ledger: { 'payout.posted': async ({ entries }: { entries: Posting[] }) => post(entries) },
    payment: {
      'payment.due': async ({ operation }: { operation: string }) => process.line.offer(operation),
      'payout.reserved': async ({
        payout,
        ...asked
      }: {
        payout: string
        seller: string
        account: string
        amount: never
      }) => {
        await book.turn(payout, (state, now) =>
          state ? { result: null } : { next: newDisbursement(payout, asked, now), result: null },
        )
        process.line.offer(payout)
      },
    },
    payout: ofPayouts(() => process),
  })

  const id = runId(DATE)
  return {
    start: () =>
      runs.turn(id, (state, now) =>
        started(
          state,
          { id, date: DATE, currencies: ['usd'], covers: coversOf(DATE, null), by: null, again: false },
          now,
        ),
      ),
    sent: () => sent,
    isDone: () => runs.docs.get(id)?.status === 'done',
    checked: () => {
      const problems: string[] = []
      const paid = new Map<string, number>()
      for (const { accountId } of bank.transfers.values()) paid.set(accountId, (paid.get(accountId) ?? 0) + 1)
      for (const seller of names) {
        const times = paid.get(`acct_${seller}`) ?? 0
        if (times !== 1) problems.push(`${seller} was sent money ${times} times`)
        if (sums.of(`available:${seller}`, 'usd') !== 0) problems.push(`${seller} still has money`)
      }
      if (bank.bankPayouts.size !== sellers)
        problems.push(`${bank.bankPayouts.size} bank payouts for ${sellers} sellers`)
      const { status, skipped } = runs.docs.get(id)!
      if (status !== 'done' || skipped > 0) problems.push(`the run is ${status}, ${skipped} were skipped`)
      for (const kind of ['in_payout', 'transit', 'connected'])
        for (const [account] of sums.kind(kind)) problems.push(`${account} is not in balance`)
      return { problems, counts: bank.counts as Record<string, number> }
    },
  }
}
