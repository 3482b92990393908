// Payouts: what sellers have and the runs that pay it out. Keys: the payout, the run. Money is set aside in the ledger first,
// then sent by the payment actor, and every step it tells of is one entry.
import cron from 'node-cron'
import { service, type Ctx } from '../../mixins/service.ts'
import type { Call, Command } from '../../mixins/node.ts'
import { isRefused, refuse } from '../errors.ts'
import type { LedgerEntry } from '../ledger/contract.ts'
import { iso, LIMIT_DEFAULT } from '../shapes.ts'
import { accountsOf, balanceOf, decodePlace, DEFAULT_CURRENCY, encodePlace, pageOf } from './balance.ts'
import { payout as contract } from './contract.ts'
import { openDesk } from './desk.ts'
import { isTooEarly, payouts, publicPayout, told, wake as itemWake, type PayoutDoc, type PayoutEvent } from './item.ts'
import { IN_FLIGHT, isDate, MINIMUMS, runId, withdrawal, type Minimums } from './plan.ts'
import {
  armed,
  payoutRuns,
  payoutSchedules,
  publicRun,
  SCHEDULE,
  scheduleWake,
  started,
  wake as runWake,
  type RunDoc,
  type ScheduleDoc,
} from './run.ts'

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  const items = await here.actor<PayoutDoc>({ of: payouts, wake: itemWake })
  const runs = await here.actor<RunDoc>({ of: payoutRuns, wake: runWake })
  const schedules = await here.actor<ScheduleDoc>({ of: payoutSchedules, wake: scheduleWake })
  const minimums = (here.settings.payoutMinimums as Minimums | undefined) ?? MINIMUMS
  const desk = openDesk(here, { items, runs, documents, minimums, call: here.call })

  const startRun = (date: string, again: boolean) =>
    runs.turn(runId(date), (state, now) => {
      const decision = started(state, { id: runId(date), date, currencies: Object.keys(minimums), again }, now)
      return { ...decision, result: { run: decision.result, isNew: state === null } }
    })
  const shown = async (run: RunDoc, withSkips: boolean) => publicRun(run, await desk.counts(run), withSkips)

  /** A small run ends while its admin waits, so that the counts of the answer are the last ones. */
  const settled = async (id: string): Promise<RunDoc> => {
    for (const until = Date.now() + RUN_WAIT_MS; ; await pause(RUN_LOOK_MS)) {
      await desk.work(id)
      const run = (await runs.read(id))!
      if (run.status === 'done' || Date.now() > until) return run
    }
  }

  const hears =
    <E extends PayoutEvent>(name: E) =>
    ({ data }: { data: Parameters<typeof told<E>>[2] }) =>
      items.turn(
        data.payout,
        (state, now) => {
          if (!state) throw refuse('not_found', `there is no payout ${data.payout}`)
          if (isTooEarly(state, name)) throw refuse('unavailable', `${name} of ${data.payout} came before its time`)
          return told(state, name, data, now)
        },
        { settle: ['ledger'] },
      ) as Promise<void | null> as Promise<void>

  const ticking = cron.schedule(
    here.settings.payoutCron,
    () => startRun(iso(here.clock.now()).slice(0, 10), false).then(() => undefined),
    { timezone: 'Etc/UTC', noOverlap: true },
  )

  return {
    actions: {
      balance: async ({ caller, params: { currency = DEFAULT_CURRENCY }, call }) =>
        balanceOf(caller.id, await call('ledger.balances', { accounts: accountsOf(caller.id) }), currency),
      transactions: async ({ caller, params: { limit = LIMIT_DEFAULT, cursor }, call }) => {
        const place = cursor === undefined ? { before: Number.MAX_SAFE_INTEGER, skip: 0 } : decodePlace(cursor)
        if (!place) throw refuse('bad_cursor')
        const { data, next } = pageOf(
          caller.id,
          await entriesOf(call, caller.id, place.before, limit + 1),
          place,
          limit,
        )
        return { data, nextCursor: next && encodePlace(next) }
      },
      list: async ({ caller, params: { limit = LIMIT_DEFAULT, cursor } }) => {
        const { docs, next } = await documents.find(payouts, {
          index: 'byOwner',
          equals: { owner: caller.id },
          order: 'desc',
          limit,
          cursor: cursor ?? null,
        })
        return { data: docs.map(publicPayout), nextCursor: next }
      },
      request: async (ctx) => {
        const doc = await request(ctx)
        if (doc.status === 'void') throw refuse('insufficient_balance', 'that much is no longer available')
        return publicPayout((await items.read(doc.id)) ?? doc)
      },
      run: async ({ params: { date = iso(here.clock.now()).slice(0, 10) }, meta }) => {
        if (!isDate(date))
          throw refuse('validation_failed', `date: ${date} is no date`, {
            errors: [{ path: 'date', message: 'is no date' }],
          })
        const { isNew } = await startRun(date, true)
        if (!isNew) meta.$statusCode = 200
        return shown(await settled(runId(date)), true)
      },
      runs: async ({ params: { limit = LIMIT_DEFAULT, cursor } }) => {
        const { docs, next } = await documents.find(payoutRuns, {
          index: 'byDate',
          order: 'desc',
          limit,
          cursor: cursor ?? null,
        })
        return { data: await Promise.all(docs.map((run) => shown(run, false))), nextCursor: next }
      },
      getRun: async ({ params: { id } }) => {
        const run = await runs.read(id)
        if (!run) throw refuse('not_found', 'there is no such payout run')
        return shown(run, true)
      },
    },
    hears: {
      'payment.transferred': hears('payment.transferred'),
      'payment.payout.sent': hears('payment.payout.sent'),
      'payment.payout.paid': hears('payment.payout.paid'),
      'payment.payout.failed': hears('payment.payout.failed'),
      'payment.transfer.reversed': hears('payment.transfer.reversed'),
      'payout.due': async ({ data: { key } }) => {
        if (key.startsWith('date:')) await startRun(key.slice('date:'.length), false)
        else if (key.startsWith('run_')) await desk.work(key)
        else {
          const doc = await items.read(key)
          if (doc) await desk.carryOn(doc)
        }
      },
    },
    started: async () => {
      await schedules.turn(SCHEDULE, (state, now) => armed(state, here.settings.payoutCron, now))
    },
    stopped: async () => {
      await ticking.destroy()
    },
  }

  async function request({
    caller,
    params,
    meta,
    call,
  }: Ctx<(typeof contract)['actions']['request']>): Promise<PayoutDoc> {
    const id = here.newId('po', meta.command as Command | undefined)
    const before = await items.read(id)
    if (before) return desk.carryOn(before)
    const currency = params.amount?.currency ?? params.currency ?? DEFAULT_CURRENCY
    const [sums, payee] = await Promise.all([
      call('ledger.balances', { accounts: accountsOf(caller.id) }),
      call('payment.payee', { user: caller.id }),
    ])
    const amount = withdrawal(params.amount, balanceOf(caller.id, sums, currency).available, minimums, payee)
    return desk.make({ id, seller: caller.id, account: payee.account!, amount, run: null }).catch((error: unknown) => {
      throw isRefused(error, 'conflict') ? refuse('conflict', IN_FLIGHT) : error
    })
  }
})

/** How long the answer to a started run waits for it to end. */
const RUN_WAIT_MS = 3000
const RUN_LOOK_MS = 100

/** Entries that moved any of a seller's balances, newest first, each once. */
const entriesOf = async (call: Call, seller: string, before: number, limit: number): Promise<LedgerEntry[]> => {
  const pages = await Promise.all(accountsOf(seller).map((account) => call('ledger.of', { account, before, limit })))
  const entries = new Map(pages.flatMap(({ data }) => data).map((entry) => [entry.seq, entry]))
  return [...entries.values()].sort((one, other) => other.seq - one.seq).slice(0, limit)
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
