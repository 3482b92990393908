// One seed of the money simulation: sixty days of a market under faults, a drain without them in which everything must come
// to rest, and then everything that was ever said is said once more.
import { random } from '../chaos/random.ts'
import { atRest, fingerprint, invariants } from './invariants.ts'
import { market, type Market } from './market.ts'
import { LAST_DAY, people } from './people.ts'
import { Violation, world, type World } from './world.ts'

const HOUR = 3_600_000
const DAY = 24 * HOUR
const START = Date.UTC(2026, 0, 1)
export const ORDERS = 60
export const DAYS = 60
/** Time without faults: longer than an order that nobody moves may take. */
export const DRAIN_DAYS = 110
/** Time for what is said again to come to rest. */
const AGAIN_DAYS = 10
const SELLERS = Array.from({ length: 8 }, (_, n) => `s${n + 1}`)

export type Result = { seed: number; failure: string | null; steps: string[]; counts: Record<string, number> }

export const simulate = async (seed: number, { isTraced = false } = {}): Promise<Result> => {
  const chance = random(seed)
  const here = world(chance, START, isTraced)
  const [mathRandom, dateNow, { stackTraceLimit }] = [Math.random, Date.now, Error]
  // The spread of retries comes from the seed, and nothing knows another time.
  Math.random = chance.stream('spread').next
  Date.now = here.now
  // Refusals are daily business here, and their traces are most of what they cost.
  if (!isTraced) Error.stackTraceLimit = 0
  let failure: string | null = null
  try {
    await live(here)
  } catch (error) {
    failure = error instanceof Violation ? error.message : `thrown: ${(error as Error).stack ?? String(error)}`
  } finally {
    Math.random = mathRandom
    Date.now = dateNow
    Error.stackTraceLimit = stackTraceLimit
  }
  return { seed, failure, steps: here.steps(), counts: here.counts }
}

const live = async (here: World) => {
  const { random: lot, run } = here
  const { entered, ordered, snapshots } = invariants(here)
  const crowd = people(here, () => shop, SELLERS.length)
  const shop: Market = await market(here, { entered, ordered, people: crowd.hears })
  for (const seller of SELLERS)
    here.later(lot.chance(0.7) ? 0 : lot.whole(0, DAYS * DAY), `${seller} may be paid`, async () => {
      shop.onboarded.add(seller)
    })
  for (let number = 1; number <= ORDERS; number++) crowd.place(`ord_${number}`, lot.whole(0, LAST_DAY * DAY))
  for (let day = 0; day < DAYS + DRAIN_DAYS - 5; day += day < DAYS ? 3 : 5) payday(here, shop, day)

  const nothing = () => undefined
  await run(START + DAYS * DAY, nothing)
  here.faulty = false
  await run(START + (DAYS + DRAIN_DAYS) * DAY, nothing)
  here.counts.entries = shop.ledger.entries.length
  here.counts.payouts = [...shop.items.docs.values()].filter(({ status }) => status === 'paid').length
  atRest(here, shop, { sellers: SELLERS, snapshots })
  await everythingAgain(here, shop, crowd.accepted)
}

/** The run of the day, asked for by the clock and now and then by an admin too; some sellers ask for themselves. */
const payday = (here: World, shop: Market, day: number) => {
  const { random: lot } = here
  const date = new Date(START + day * DAY).toISOString().slice(0, 10)
  const start = (ms: number, again: boolean) =>
    here.later(ms, `run of ${date}`, () => shop.startRun(date, again), { left: () => start(60_000, again) })
  start(day * DAY + HOUR, false)
  if (day >= DAYS) return
  if (lot.chance(0.3)) start(day * DAY + HOUR + lot.whole(0, 10_000), true)
  for (const seller of SELLERS)
    if (lot.chance(0.05))
      here.later(day * DAY + HOUR + lot.whole(0, 10_000), `${seller} withdraws`, () =>
        shop.withdraw(`po_${date}_${seller}_asked`, seller),
      )
}

/** I14: every event, webhook and command once more changes nothing. */
const everythingAgain = async (here: World, shop: Market, commands: readonly (() => Promise<unknown>)[]) => {
  const before = fingerprint(shop)
  const groups = Object.entries(shop.hears).filter(([group]) => group !== 'people')
  // A timer says the same many times over.
  const words = new Map(shop.words.map(({ said, id }) => [`${said.name} ${JSON.stringify(said.data)}`, { said, id }]))
  for (const { said, id } of words.values())
    for (const [, hears] of groups)
      if (hears[said.name])
        here.later(0, `${said.name} of ${id} again`, () => hears[said.name]!(said.data as never, id))
  for (const event of shop.bank.events())
    here.later(0, `webhook of ${event.op ?? event.objectId} again`, () => shop.heard(event))
  for (const command of commands) here.later(0, 'a command again', command)
  await here.run(here.now() + AGAIN_DAYS * DAY, () => undefined)
  here.must('I14 all of it again changes nothing', fingerprint(shop) === before, 'something is not as it was')
}
