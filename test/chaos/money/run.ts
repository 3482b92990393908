// One run: processes start, people trade under harm, time passes, sellers are paid under harm, everything is made good, and
// what the provider did is judged against what people were promised and what the books say.
import { eventually } from '../../node.ts'
import { random } from '../random.ts'
import { startFleet, type Fleet } from './fleet.ts'
import { openHarms, POINTS, type Harms, type Planned } from './harms.ts'
import { BAD, hanging, judge, type Verdict } from './judge.ts'
import { openTrade, WAYS, type Deal, type Trade } from './trade.ts'

export type RunOptions = {
  seed: number
  sellers: number
  buyers: number
  deals: number
  /** What goes wrong while people trade, and what while sellers are paid. */
  trading: readonly Planned[]
  paying: readonly Planned[]
  mutant?: string | undefined
  log(line: string): void
}
export type Outcome = { verdict: Verdict; harmed: Map<string, number>; missed: Planned[]; changed: number }

export const at = (kinds: readonly Planned['kind'][]): Planned[] =>
  kinds.flatMap((kind) => POINTS.map((point) => ({ kind, point })))

const DEALS_AT_ONCE = 6
const CLEARED_SECONDS = 15 * 86_400
const HOUR_SECONDS = 3600
/** Rounds of an hour each in which everything must come to rest: longer than a key is used. */
const REST_ROUNDS = 40
const BANK_FAILURES = 2

export const run = async (options: RunOptions): Promise<Outcome> => {
  const { seed, mutant, log } = options
  const began = performance.now()
  const say = (line: string) => log(`${((performance.now() - began) / 1000).toFixed(1).padStart(6)} s  ${line}`)
  const chance = random(seed)
  let fleet!: Fleet
  const harms = openHarms({ fleet: () => fleet, random: chance.stream('harm'), log: say })
  fleet = await startFleet({ mutant, harm: harms.on })
  try {
    say(`${fleet.members.length + 1} processes`)
    const trade = await openTrade(fleet.url, { random: chance.stream('people'), ...options, buyers: options.buyers })
    say(`${trade.sellers.length} sellers, ${options.buyers} buyers`)
    harms.plan(options.trading)
    harms.noise(true)
    const deals = await trading(trade, options)
    await harms.healed()
    say(`${deals.length} orders lived`)
    const missed = harms.left()
    harms.plan([])
    await trade.advance(CLEARED_SECONDS)
    say('money has cleared')
    harms.plan(options.paying)
    for (let failures = 0; failures < BANK_FAILURES; failures++)
      fleet.provider.tell({ fault: { kind: 'payout_fails_before_paid', skip: chance.whole(0, 3) } })
    await paying(trade, harms, say)
    harms.noise(false)
    missed.push(...harms.left())
    harms.plan([])
    await harms.healed()
    fleet.provider.tell({ clear: true })
    await rest(trade, fleet, say)
    say('everything made good')
    return { verdict: await judge(fleet, trade, deals), harmed: harms.done, missed, changed: fleet.changed() }
  } catch (error) {
    const open = hanging(fleet.dataDir).join('\n')
    throw new Error(
      `the run broke off; open then:\n${open}\nthe processes said last:\n${fleet.output().slice(-4000)}`,
      {
        cause: error,
      },
    )
  } finally {
    await fleet.stop()
  }
}

const trading = async (trade: Trade, { deals, seed }: RunOptions): Promise<Deal[]> => {
  const lot = random(seed).stream('ways')
  const left = Array.from({ length: deals }, (_, n) => `deal-${n + 1}`).reverse()
  const done: Deal[] = []
  const worker = async () => {
    for (let name = left.pop(); name; name = left.pop()) done.push(await trade.deal(name, lot.pick(WAYS)))
  }
  await Promise.all(Array.from({ length: DEALS_AT_ONCE }, worker))
  return done
}

const dateOf = async ({ admin, get }: Trade): Promise<string> =>
  String((await get(admin.token, '/v1/sandbox/clock')).now).slice(0, 10)

/** The run of the day, asked for twice at once, and some sellers ask for themselves. */
const paying = async (trade: Trade, harms: Harms, say: (line: string) => void): Promise<void> => {
  const { admin, post, get, sellers } = trade
  const date = await dateOf(trade)
  const start = (key: string) => post(admin.token, '/v1/admin/payout-runs', key, { date })
  const alone = sellers
    .slice(0, 3)
    .map(({ token, id }) => post(token, '/v1/payouts', `alone-${id}`, {}).catch(() => null))
  await Promise.all([start('run-a'), start('run-b'), ...alone])
  say('the payout run is asked for')
  // Calls that failed come again when their time has come.
  for (let round = 0; round < REST_ROUNDS && harms.left().length > 0; round++) {
    await trade.advance(60)
    await new Promise((resolve) => setTimeout(resolve, 500))
    const { status } = await get(admin.token, `/v1/admin/payout-runs/run_${date}`)
    if (status === 'done') return
  }
}

/** Hour after hour until the runs are done and nothing is on its way, with a run of a later day for what came back. */
const rest = async (trade: Trade, fleet: Fleet, say: (line: string) => void): Promise<void> => {
  const { admin, post, get } = trade
  const isAtRest = async () => {
    const { data } = await get(admin.token, '/v1/admin/ledger/trial-balance')
    const open = (data as { account: string; balance: { amount: number } }[]).filter(
      ({ account, balance }) =>
        ['in_payout', 'transit', 'refund_pending', 'connected'].includes(account) && balance.amount !== 0,
    )
    const { data: runs } = await get(admin.token, '/v1/admin/payout-runs')
    return open.length === 0 && runs.every(({ status }: { status: string }) => status === 'done')
  }
  const settle = async () => {
    for (let round = 0; round < REST_ROUNDS; round++) {
      await new Promise((resolve) => setTimeout(resolve, 250))
      if (await isAtRest()) return
      await trade.advance(HOUR_SECONDS)
    }
    say('it did not come to rest')
  }
  await settle()
  await trade.advance(86_400)
  await post(admin.token, '/v1/admin/payout-runs', 'run-last', { date: await dateOf(trade) })
  await settle()
  // Webhooks told twice or late change nothing any more.
  await eventually(isAtRest, Boolean, 15_000).catch(() => undefined)
  void fleet
}

/** The run as a person reads it. */
export const report = ({ verdict, harmed }: Outcome): string => {
  const line = ([what, count]: readonly [string, number]) =>
    `  ${what.padEnd(52)}${count.toLocaleString('en').padStart(8)}`
  return [
    'harm done',
    ...[...harmed].map(line),
    'at the provider',
    ...Object.entries(verdict.figures).map(line),
    'must be 0',
    ...BAD.map((what) => line([what, verdict.counts[what]])),
    ...verdict.problems.slice(0, PROBLEMS_SHOWN).map((problem) => `  ${problem}`),
  ].join('\n')
}
const PROBLEMS_SHOWN = 20
