// Harm at labelled points of a call to the provider: killed before it was sent, when it was executed and not yet kept, when it
// was kept and not yet said; and paused in the middle for so long that another takes over. One at a time, each at least once.
import type { Random } from '../random.ts'
import { openStore, type Fleet } from './fleet.ts'
import type { CallKind, Harm, Passing } from './gate.ts'

export const POINTS = [
  'before the call',
  'after the call, before the commit',
  'after the commit, before it is said',
] as const
export type Point = (typeof POINTS)[number] | 'paused past its lease'
export type Planned = { kind: CallKind; point: Point }
export type Harms = {
  plan(planned: readonly Planned[]): void
  on(passing: Passing): Promise<Harm | null>
  /** Of what was planned, what has not happened yet. */
  left(): Planned[]
  done: Map<string, number>
  /** Everything killed is up again. */
  healed(): Promise<void>
  /** Now and then an answer is lost or the provider is too busy, as long as it is on. */
  noise(on: boolean): void
}
type World = { fleet(): Fleet; random: Random; log(line: string): void }

/** Past Moleculer's heartbeatTimeout of 8 s and the next look at it: a node paused for so long is taken for gone. */
const PAUSE_MS = 17_000
const DOWN_MS = [200, 1200] as const
const REACHED_WITHIN_MS = 5000
const COMMIT_WITHIN_MS = 3000
const HELD_MS = 30_000
const LOST = 0.04

const wait = (ms: number) => new Promise((resolve) => setTimeout(resolve, ms))

export const openHarms = ({ fleet, random, log }: World): Harms => {
  let planned: Planned[] = []
  let busy: Promise<void> | null = null
  let isNoisy = false
  const done = new Map<string, number>()
  const count = (name: string) => done.set(name, (done.get(name) ?? 0) + 1)

  const during = (what: string, work: () => Promise<void>) => {
    busy = work()
      .catch((error) => log(`${what}: ${String(error)}`))
      .finally(() => {
        count(what)
        busy = null
      })
  }
  const of = (name: string) => fleet().money.find((one) => one.name === name)!
  const kill = async (name: string, what: string) => {
    await of(name).kill()
    log(`${name} killed: ${what}`)
    await wait(random.whole(...DOWN_MS))
    await of(name).start()
  }
  /** SIGSTOP of who works on the run, or, where nobody says so, of who makes the call; its answers wait on its sockets. */
  const pause = async (name: string, what: string) => {
    const worker = workerOf(fleet())?.name ?? name
    of(worker).pause()
    log(`${worker} stopped: ${what}`)
    await wait(PAUSE_MS)
    of(worker).resume()
    log(`${worker} goes on; another had its time`)
  }

  /** At work from here on, not from where it strikes: another harm must not come to the same node in between. */
  const struck = ({ node, kind, operation }: Passing, { point }: Planned): Harm => {
    const what = `${kind}, ${point}`
    const reached = Promise.withResolvers<void>()
    during(what, async () => {
      await Promise.race([reached.promise, wait(REACHED_WITHIN_MS)])
      if (point === 'after the commit, before it is said') await committed(fleet().dataDir, kind, operation)
      await (point === 'paused past its lease' ? pause(node, what) : kill(node, what))
    })
    const cut = async () => {
      reached.resolve()
      return false
    }
    switch (point) {
      case 'before the call':
        return { before: cut }
      case 'after the call, before the commit':
        return { after: cut }
      case 'paused past its lease':
        return {
          after: async () => {
            reached.resolve()
            return true
          },
        }
      case 'after the commit, before it is said':
        return { answered: () => reached.resolve() }
    }
  }
  const lost: Harm = { after: async () => false }

  return {
    plan: (wanted) => (planned = random.shuffled(wanted)),
    on: async (passing) => {
      const isWanted = () => planned.some(({ kind }) => kind === passing.kind)
      // The provider takes its time while one is down, so that there are calls left for every harm.
      const until = Date.now() + HELD_MS
      while (isWanted() && busy && Date.now() < until && !passing.isGone()) await Promise.race([busy, wait(100)])
      if (passing.isGone()) return null
      const at = busy ? -1 : planned.findIndex(({ kind }) => kind === passing.kind)
      if (at >= 0) return struck(passing, planned.splice(at, 1)[0]!)
      if (!isNoisy || passing.kind === 'other' || !random.chance(LOST)) return null
      count('answers lost')
      return lost
    },
    left: () => [...planned],
    done,
    healed: async () => {
      while (busy) await busy
    },
    noise: (on) => (isNoisy = on),
  }
}

/** Resolves when the store of the nodes has the operation's call behind it, or after a while. */
const committed = async (dataDir: string, kind: CallKind, operation: string): Promise<void> => {
  const db = openStore(dataDir)
  try {
    const found = db.prepare(
      `SELECT doc ->> '$.call.state' AS state, doc ->> '$.call.name' AS name FROM payment_operations
       WHERE id = ? OR (doc ->> '$.paymentId' = ? AND doc ->> '$.kind' = 'charge')`,
    )
    const isDone = () => found.all(operation, operation).some(({ state, name }) => state === 'settled' || name !== kind)
    for (const until = Date.now() + COMMIT_WITHIN_MS; Date.now() < until && !isDone(); await wait(1));
  } finally {
    db.close()
  }
}

/** The node that has the newest run's lease. */
const workerOf = ({ dataDir, money, instanceOf }: Fleet) => {
  const db = openStore(dataDir)
  try {
    const run = db.prepare("SELECT doc ->> '$.lease.owner' AS owner FROM payout_runs ORDER BY id DESC LIMIT 1").get()
    return money.find((one) => instanceOf(one.name) === run?.['owner'])
  } finally {
    db.close()
  }
}
