// How fast the background may call the provider: per kind of call and over all kinds, never what somebody at the checkout
// needs. More is tried slowly, half is given up at once when the provider says "too many" (AIMD), so that several nodes
// that know nothing of each other find their shares. Pure: time is asked for, nothing is waited for.
import type { CallName } from './operation.ts'

/** Calls of operations, reading of lists, and looking for what a call may have made before. */
export type PacedName = CallName | 'list' | 'find'

export type Pace = {
  /** 0: go now, the slot is taken. Else how long to wait before asking again, machine ms. */
  wait(name: PacedName): number
  /** A call that somebody waits for takes no slot; the background makes room for it. */
  live(name: PacedName): void
  /** How the provider took a call of the background. */
  told(name: PacedName, how: 'taken' | 'limited'): void
  /** Calls a second that the background may make of a kind right now. */
  rate(name: PacedName): number
}

/** What the provider takes, calls a second of one kind and of all kinds. */
export const PROVIDER_PER_SECOND = 25
export const PROVIDER_ALL_PER_SECOND = 100
/** Kept free for people, also while none of them asks: of kinds of calls that people wait for, and over all kinds. */
export const ROOM_PER_SECOND: Partial<Record<PacedName, number>> = {
  create: 10,
  confirm: 10,
  cancel: 10,
  refund: 10,
  // Webhooks are answered by looks, and those are somebody's news.
  look: 18,
}
export const ROOM_ALL_PER_SECOND = 40
/** However much is refused, so often it is tried. */
export const RATE_MIN = 1
/** Calls of one kind that may go at once after a quiet while. */
const BURST = 3
/** What is judged together. One refusal may be chance; a share of them is a limit. */
const WINDOW_MS = 2000
const LIMITED_MIN = 3
const LIMITED_SHARE_MAX = 0.16
/** Added after a window in which nothing was limited, and left of the rate after one in which too much was. */
const INCREASE_PER_SECOND = 1
const DECREASE = 0.5

type Lane = { slotAt: number; rate: number; windowAt: number; calls: number; limited: number; live: number[] }
type Limit = { max: number; room: number }

export const paced = (now: () => number, perSecond = PROVIDER_PER_SECOND): Pace => {
  const lanes = new Map<string, Lane>()
  const all: Limit = { max: PROVIDER_ALL_PER_SECOND, room: ROOM_ALL_PER_SECOND }
  const limitOf = (name: PacedName): Limit => ({ max: perSecond, room: ROOM_PER_SECOND[name] ?? 0 })
  const laneOf = (name: string, { max, room }: Limit): Lane => {
    let lane = lanes.get(name)
    if (!lane)
      lanes.set(name, (lane = { slotAt: 0, rate: max - room, windowAt: now(), calls: 0, limited: 0, live: [] }))
    return lane
  }
  const lane = (name: PacedName) => laneOf(name, limitOf(name))
  const wholeLane = () => laneOf('*', all)

  return {
    wait: (name) => {
      const at = now()
      const pauseMs = Math.max(
        pauseOf(lane(name), effective(lane(name), limitOf(name), at), at),
        pauseOf(wholeLane(), effective(wholeLane(), all, at), at),
      )
      if (pauseMs > 0) return pauseMs
      take(lane(name), effective(lane(name), limitOf(name), at), at)
      take(wholeLane(), effective(wholeLane(), all, at), at)
      return 0
    },
    live: (name) => {
      for (const one of [lane(name), wholeLane()]) one.live.push(now())
    },
    told: (name, how) => {
      const one = lane(name)
      one.calls += 1
      if (how === 'limited') one.limited += 1
      judge(one, limitOf(name), now())
    },
    rate: (name) => effective(lane(name), limitOf(name), now()),
  }
}

/** What is left of the rate beside what people did in the last second; their room is theirs already. */
const effective = (lane: Lane, { max, room }: Limit, at: number): number => {
  while (lane.live.length > 0 && lane.live[0]! <= at - 1000) lane.live.shift()
  return Math.max(RATE_MIN, Math.min(lane.rate, max - Math.max(room, lane.live.length)))
}

const pauseOf = ({ slotAt }: Lane, rate: number, at: number): number =>
  Math.max(0, Math.ceil(Math.max(slotAt, at - (BURST * 1000) / rate) - at))
const take = (lane: Lane, rate: number, at: number) => {
  lane.slotAt = Math.max(lane.slotAt, at - (BURST * 1000) / rate) + 1000 / rate
}

const judge = (lane: Lane, { max, room }: Limit, at: number) => {
  if (at - lane.windowAt < WINDOW_MS) return
  const isLimited = lane.limited >= LIMITED_MIN && lane.limited > lane.calls * LIMITED_SHARE_MAX
  lane.rate = isLimited
    ? Math.max(RATE_MIN, lane.rate * DECREASE)
    : Math.min(max - room, lane.rate + INCREASE_PER_SECOND)
  lane.windowAt = at
  lane.calls = 0
  lane.limited = 0
}
