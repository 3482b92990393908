// Payouts: what sellers have and the runs that pay it out. Keys: the payout, the run. Money is set aside in the ledger first,
// then sent by the payment actor, and every step it tells of is one entry.
import cron from 'node-cron'
import { opsOf } from '../../mixins/ops.ts'
import { repeated } from '../../mixins/repeated.ts'
import { service, type Ctx } from '../../mixins/service.ts'
import type { Call, Command } from '../../mixins/node.ts'
import { isRefused, refuse } from '../errors.ts'
import type { LedgerEntry } from '../ledger/contract.ts'
import { iso, LIMIT_DEFAULT } from '../shapes.ts'
import { accountsOf, balanceOf, decodePlace, DEFAULT_CURRENCY, encodePlace, pageOf } from './balance.ts'
import { batches, skipsOf } from './batch.ts'
import { payout as contract, type PayoutRun } from './contract.ts'
import { openDesk } from './desk.ts'
import { ALL, freezes, frozenAmong, publicFreeze, switched, type FreezeDoc } from './freeze.ts'
import { gauges } from './gauges.ts'
import { isTooEarly, payouts, publicPayout, told, wake as itemWake, type PayoutDoc, type PayoutEvent } from './item.ts'
import { APPROVAL_LIMITS, isDate, MINIMUMS, REASONS, runId, withdrawal, type Amounts } from './plan.ts'
import { preview } from './preview.ts'
import {
  approved,
  armed,
  cancelled,
  isOver,
  payoutRuns,
  payoutSchedules,
  SCHEDULE,
  scheduleWake,
  started,
  wake as runWake,
  type RunDoc,
  type ScheduleDoc,
} from './run.ts'
import { openRunner } from './runner.ts'
import { coversOf, payoutSettings, publicSettings, type Covers, type SettingsDoc } from './schedule.ts'
import { openSelection } from './selection.ts'
import { publicRun, runItems, SKIPS_SHOWN } from './view.ts'

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  await documents.declare([batches] as never)
  const items = await here.actor<PayoutDoc>({ of: payouts, wake: itemWake })
  const runs = await here.actor<RunDoc>({ of: payoutRuns, wake: runWake })
  const schedules = await here.actor<ScheduleDoc>({ of: payoutSchedules, wake: scheduleWake })
  const switches = await here.actor<FreezeDoc>({ of: freezes })
  const wishes = await here.actor<SettingsDoc>({ of: payoutSettings })
  const minimums = (here.settings.payoutMinimums as Amounts | undefined) ?? MINIMUMS
  const limits = { ...APPROVAL_LIMITS, ...(here.settings.payoutApprovalLimits as Amounts | undefined) }
  const currencies = Object.keys(minimums)
  const isFrozen = async (...scopes: string[]) => (await frozenAmong(documents, [ALL, ...scopes])).size > 0
  const desk = openDesk({ items, call: here.call, isFrozen })
  const selection = openSelection({ documents, call: here.call, minimums })
  const { instanceId: owner, isRunning } = here
  const runner = openRunner({ runs, documents, desk, selection, limits, owner, isRunning, isFrozen })
  const shownNumbers = gauges(opsOf(here.broker).registry, documents, here.clock.now)
  const looking = repeated(LOOK_MS, here.log, 'looking at payout runs', shownNumbers.look)

  const coversFor = async (date: string): Promise<Covers> => {
    const { docs } = await documents.find(payoutRuns, { index: 'byDate', to: date, order: 'desc', limit: 2 })
    return coversOf(date, docs.find((run) => run.date < date)?.date ?? null)
  }
  type Starting = { by: string | null; dueAt?: number | undefined; missed?: number | undefined }
  const startRun = async (date: string, { by, dueAt, missed }: Starting) => {
    const id = runId(date)
    const covers = await coversFor(date)
    const late = dueAt !== undefined && here.clock.now() - dueAt > LATE_MS
    const asked = {
      id,
      date,
      currencies,
      covers,
      by,
      again: by !== null,
      ...(dueAt !== undefined && { dueAt, missed: missed ?? 0 }),
    }
    const begun = await runs.turn(id, (state, now) => {
      const decision = started(state, asked, now)
      return { ...decision, result: { isNew: state === null, begins: decision.next !== undefined } }
    })
    if (begun.begins) shownNumbers.begun(by === null ? (late ? 'late' : 'schedule') : 'admin')
    if (begun.begins && late)
      here.log.warn(`the payout run of ${date} was missed and is made up for now; due since then: ${missed ?? 0}`)
    return begun.isNew
  }

  const shown = async (run: RunDoc, withSkips: boolean): Promise<PayoutRun> => {
    const [counts, waiting, frozen, skips] = await Promise.all([
      runner.counts(run),
      runner.waiting(run.id),
      isFrozen(),
      withSkips ? skipsOf(documents, run.id, { number: run.roundFrom + 1, skip: 0 }, SKIPS_SHOWN) : null,
    ])
    return publicRun(run, { counts, waiting, isFrozen: frozen, ...(skips && { skips: skips.data }) })
  }
  const runOf = async (id: string): Promise<RunDoc> => {
    const run = await runs.read(id)
    if (!run) throw refuse('not_found', 'there is no such payout run')
    return run
  }

  /** A small run ends while its admin waits, so that the counts of the answer are the last ones. */
  const settled = async (id: string): Promise<RunDoc> => {
    for (const until = Date.now() + RUN_WAIT_MS; ; await pause(RUN_LOOK_MS)) {
      await runner.work(id)
      const run = await runOf(id)
      if (isOver(run) || run.status === 'awaiting_approval' || Date.now() > until) return run
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

  const turnSwitch = async (frozen: boolean, seller: string | undefined, reason: string, by: string) => {
    const scope = seller ?? ALL
    // Answered when payments have heard: nothing leaves after that.
    const doc = await switches.turn(scope, (state, now) => switched(state, { scope, frozen, reason, by }, now), {
      settle: ['payment'],
    })
    here.log.warn(`payouts (${scope}) are ${frozen ? 'frozen' : 'free'} since ${by} said: ${reason}`)
    return publicFreeze(doc)
  }

  const ticking = cron.schedule(
    here.settings.payoutCron,
    () => startRun(iso(here.clock.now()).slice(0, 10), { by: null }).then(() => undefined),
    { timezone: 'Etc/UTC', noOverlap: true },
  )

  return {
    actions: {
      balance: async ({ caller, params: { currency = DEFAULT_CURRENCY, at }, call }) =>
        at === undefined
          ? balanceOf(caller.id, await call('ledger.balances', { accounts: accountsOf(caller.id) }), currency)
          : call('statement.balanceAt', { seller: caller.id, currency, at: timeOf(at) }),
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
      run: async ({ caller, params: { date = iso(here.clock.now()).slice(0, 10), dryRun }, meta }) => {
        if (!isDate(date))
          throw refuse('validation_failed', `date: ${date} is no date`, {
            errors: [{ path: 'date', message: 'is no date' }],
          })
        if (dryRun) {
          meta.$statusCode = 200
          const covers = await coversFor(date)
          return preview(
            selection,
            { id: runId(date), date, covers, currencies, limits, by: caller.id },
            here.clock.now(),
          )
        }
        if (!(await startRun(date, { by: caller.id }))) meta.$statusCode = 200
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
      getRun: async ({ params: { id } }) => shown(await runOf(id), true),
      runItems: async ({ params: { id, status, limit = LIMIT_DEFAULT, cursor } }) =>
        runItems(documents, { run: await runOf(id), status, limit, cursor }),
      approve: async ({ caller, params: { id } }) => {
        await runOf(id)
        await runs.turn(id, (state, now) => approved(state!, caller.id, now))
        return shown(await settled(id), true)
      },
      cancelRun: async ({ caller, params: { id, reason } }) => {
        await runOf(id)
        return shown(await runs.turn(id, (state, now) => cancelled(state!, { by: caller.id, reason }, now)), true)
      },
      freeze: ({ caller, params: { seller, reason } }) => turnSwitch(true, seller, reason, caller.id),
      unfreeze: ({ caller, params: { seller, reason } }) => turnSwitch(false, seller, reason, caller.id),
      freezes: async ({ params: { limit = LIMIT_DEFAULT, cursor } }) => {
        const { docs, next } = await documents.find(freezes, {
          index: 'bySince',
          order: 'desc',
          limit,
          cursor: cursor ?? null,
        })
        return { data: docs.map(publicFreeze), nextCursor: next }
      },
      settings: async ({ caller }) => publicSettings(await wishes.read(caller.id)),
      changeSettings: async ({ caller, params }) =>
        publicSettings(
          await wishes.turn(caller.id, (state) => {
            const { id = caller.id, version = 0, outbox = [] } = state ?? {}
            const next: SettingsDoc = { id, version, outbox, ...params }
            return { next, result: next }
          }),
        ),
    },
    hears: {
      'payment.transferred': hears('payment.transferred'),
      'payment.payout.sent': hears('payment.payout.sent'),
      'payment.payout.paid': hears('payment.payout.paid'),
      'payment.payout.failed': hears('payment.payout.failed'),
      'payment.transfer.reversed': hears('payment.transfer.reversed'),
      'payout.due': async ({ data: { key, dueAt, missed } }) => {
        if (key.startsWith('date:')) await startRun(key.slice('date:'.length), { by: null, dueAt, missed })
        else if (key.startsWith('run_')) await runner.work(key)
        else {
          const doc = await items.read(key)
          if (doc) await desk.carryOn(doc)
        }
      },
    },
    started: async () => {
      await schedules.turn(SCHEDULE, (state, now) => armed(state, here.settings.payoutCron, now))
      looking.start()
    },
    stopped: async () => {
      await looking.stop()
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
    if (await isFrozen(caller.id)) throw refuse('conflict', 'payouts are stopped for now; nothing is lost')
    const currency = params.amount?.currency ?? params.currency ?? DEFAULT_CURRENCY
    const [sums, payee] = await Promise.all([
      call('ledger.balances', { accounts: accountsOf(caller.id) }),
      call('payment.payee', { user: caller.id }),
    ])
    const amount = withdrawal(params.amount, balanceOf(caller.id, sums, currency).available, minimums, payee)
    return desk.make({ id, seller: caller.id, account: payee.account!, amount, run: null }).catch((error: unknown) => {
      throw isRefused(error, 'conflict') ? refuse('conflict', REASONS.in_flight) : error
    })
  }
})

const timeOf = (at: string): number => {
  const time = Date.parse(at)
  if (Number.isNaN(time) || time < 0)
    throw refuse('validation_failed', 'at: is no time', { errors: [{ path: 'at', message: 'is no time' }] })
  return time
}

/** How long the answer to a started run waits for it to end. */
const RUN_WAIT_MS = 3000
const RUN_LOOK_MS = 100
/** How often the numbers about runs are brought up to date. */
const LOOK_MS = 30_000
/** A run of the schedule that begins later than this was missed. */
const LATE_MS = 3_600_000

/** Entries that moved any of a seller's balances, newest first, each once. */
const entriesOf = async (call: Call, seller: string, before: number, limit: number): Promise<LedgerEntry[]> => {
  const pages = await Promise.all(accountsOf(seller).map((account) => call('ledger.of', { account, before, limit })))
  const entries = new Map(pages.flatMap(({ data }) => data).map((entry) => [entry.seq, entry]))
  return [...entries.values()].sort((one, other) => other.seq - one.seq).slice(0, limit)
}

const pause = (ms: number) => new Promise<void>((resolve) => setTimeout(resolve, ms))
