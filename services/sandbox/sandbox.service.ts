// The sandbox's clock. Time does not jump: it goes from one due timer to the next, each fires and is delivered before the
// clock moves on, so that what happened is what would have happened had the time passed.
import { isMovable } from '../../adapters/clock/index.ts'
import { moveClock } from '../../mixins/clock.ts'
import { service, type Here } from '../../mixins/service.ts'
import { contracts } from '../contract.ts'
import { refuse } from '../errors.ts'
import { iso } from '../shapes.ts'
import { sandbox as contract } from './contract.ts'
import { demonstrate } from './demo/demo.ts'

/** Timers fired by one request at most; a caller that hits it asks again for the rest. */
export const STEPS_MAX = 20_000
/** One request works this long at most, then says how far it came. */
const ADVANCE_MS_MAX = 12_000

export default service(contract, (here) => {
  let moving: Promise<unknown> = Promise.resolve()

  const clockNow = (fired?: number) => ({
    now: iso(here.clock.now()),
    offsetSeconds: Math.round(here.clock.offsetMs() / 1000),
    ...(fired !== undefined && { fired }),
  })

  return {
    actions: {
      clock: () => onlyMovable(here) ?? clockNow(),
      advance: (ctx) => {
        onlyMovable(here)
        // One journey at a time: a second caller's begins where the first one's ends.
        const journey = moving
          .then(() => inTime(ctx.deadlineAt))
          .then(() => advance(here, ctx.params.advanceSeconds * 1000))
          .then(clockNow)
        moving = journey.catch(() => undefined)
        return journey
      },
    },
    started: async () => {
      if (here.settings.sandbox) await demonstrated(here)
    },
  }
})

/** What the demo needs may be hosted elsewhere and come late: then the node starts without waiting for it. */
const DEMO_WAIT_MS = 10_000

const demonstrated = async (here: Here): Promise<void> => {
  const making = demonstrate(here).catch((error: unknown) => here.log.warn('the demo could not be made:', error))
  let timer: NodeJS.Timeout | undefined
  await Promise.race([making, new Promise((resolve) => (timer = setTimeout(resolve, DEMO_WAIT_MS)))])
  clearTimeout(timer)
}

/** Whoever has given up waiting would ask again, and time would move twice. */
const inTime = (deadlineAt: number): void => {
  if (Date.now() > deadlineAt)
    throw refuse('overloaded', 'the clock was being moved for others', { retryAfterSeconds: 1 })
}

const onlyMovable = (here: Here): undefined => {
  if (!isMovable(here.clock)) throw refuse('not_found')
  return undefined
}

/** Moves the clock on by `ms`, stopping at every due timer. Answers how many fired. */
const advance = async (here: Here, ms: number): Promise<number> => {
  const target = here.clock.offsetMs() + ms
  const until = Date.now() + ADVANCE_MS_MAX
  let fired = await fireDue(here)
  for (let step = 0; step < STEPS_MAX && Date.now() < until; step++) {
    const at = await nextDue(here)
    const offset = at === null ? target : Math.min(target, Math.max(here.clock.offsetMs(), at - Date.now()))
    await moveClock(here, offset)
    fired += await fireDue(here)
    if (offset >= target) return fired
  }
  throw refuse('overloaded', `time is at ${iso(here.clock.now())}: advance again for the rest`, {
    retryAfterSeconds: 1,
  })
}

const timedServices = Object.values(contracts)
  .filter((declared) => 'timers' in declared)
  .map(({ name }) => name)

const nextDue = async (here: Here): Promise<number | null> => {
  const due = await Promise.all(
    timedServices
      .filter((name) => here.placement.nodes(name).length > 0)
      .map((name) => here.broker.call<number | null, object>(`${name}.nextAt`, {})),
  )
  const now = here.clock.now()
  // A timer that failed stays due; waiting for it would stop the clock.
  return due.reduce<number | null>(
    (next, at) => (at !== null && at > now && (next === null || at < next) ? at : next),
    null,
  )
}

/** Everything due now fires, on every node, and what follows from it too, until nothing more is due. */
const fireDue = async (here: Here): Promise<number> => {
  let fired = 0
  for (let round = 0; round < ROUNDS_MAX; round++) {
    const woken = await fireOnce(here)
    await here.call('payment.tick', {}).catch(() => undefined)
    if (woken > 0) await quiet(here)
    fired += woken
    if (woken === 0) return fired
  }
  return fired
}
/** Timers that arm the next one for the same moment end here. */
const ROUNDS_MAX = 100

/** What fired may say things that make others say things: time stands until all of it was heard, or for this long. */
const QUIET_MS_MAX = 1500
const QUIET_LOOK_MS = 5

const quiet = async (here: Here): Promise<void> => {
  for (const until = Date.now() + QUIET_MS_MAX; Date.now() < until;) {
    if ((await undelivered(here)) === 0) return
    await new Promise((resolve) => setTimeout(resolve, QUIET_LOOK_MS))
  }
}

type Load = { undelivered: number }[]
const undelivered = async (here: Here): Promise<number> => {
  const calls = Object.keys(contracts).flatMap((name) =>
    here.placement.nodes(name).map((nodeID) => here.broker.call<Load, object>(`${name}.load`, {}, { nodeID })),
  )
  return (await Promise.all(calls)).flat().reduce((sum, one) => sum + one.undelivered, 0)
}

const fireOnce = async (here: Here): Promise<number> => {
  const calls = timedServices.flatMap((name) =>
    here.placement
      .nodes(name)
      .map((nodeID) => here.broker.call<number, object>(`${name}.wakeDue`, {}, { nodeID, timeout: ADVANCE_MS_MAX })),
  )
  return (await Promise.all(calls)).reduce((sum, woken) => sum + woken, 0)
}
