// The index against the gigs: both are walked in the order of ids, side by side, and what differs is put right. The
// memory this takes is two pages, whatever the number of gigs.
import type { Static } from 'typebox'
import type { Engine } from '../../adapters/engine/index.ts'
import type { Call } from '../../mixins/node.ts'
import type { IndexedGig } from '../gig/contract.ts'

type Indexed = Static<typeof IndexedGig>
type Known = { id: string; version: number }
/** One side missing or the versions differing: `live` is what should be, `known` what the index has. */
export type Difference = { id: string; live: Indexed | null; known: Known | null }
export type Walked = { live: number; indexed: number }

const PAGE = 500
const REPAIRS_AT_ONCE = 200
/** Ids named by `difference`. */
export const DIFFERENT_MAX = 100

/** Calls `differs` for every difference; answers how many stood on each side. */
export const walk = async (
  engine: Engine,
  call: Call,
  differs: (one: Difference) => Promise<void> | void,
): Promise<Walked> => {
  const lives = pages(async (after) => {
    const { data, next } = await call('gig.indexed', { limit: PAGE, ...(after !== null && { after }) })
    return { items: data, next }
  })
  const knowns = pages(async (after) => {
    const { versions, next } = await engine.versions({ after, limit: PAGE })
    return { items: versions, next }
  })
  const counts = { live: 0, indexed: 0 }
  let live = await lives()
  let known = await knowns()
  while (live || known) {
    const isLiveNext = live !== null && (known === null || live.id <= known.id)
    const isKnownNext = known !== null && (live === null || known.id <= live.id)
    const one = {
      id: (isLiveNext ? live : known)!.id,
      live: isLiveNext ? live : null,
      known: isKnownNext ? known : null,
    }
    if (one.live?.version !== one.known?.version) await differs(one)
    if (isLiveNext) {
      counts.live++
      live = await lives()
    }
    if (isKnownNext) {
      counts.indexed++
      known = await knowns()
    }
  }
  return counts
}

type Page<T> = { items: T[]; next: string | null }
const pages = <T>(load: (after: string | null) => Promise<Page<T>>): (() => Promise<T | null>) => {
  let page: Page<T> | null = null
  let at = 0
  return async () => {
    while (page === null || at >= page.items.length) {
      if (page !== null && page.next === null) return null
      page = await load(page?.next ?? null)
      at = 0
    }
    return page.items[at++]!
  }
}

export type Repaired = { gigs: number; repaired: number }

/** Walks and puts right, a batch at a time. */
export const repair = async (engine: Engine, call: Call): Promise<Repaired> => {
  let missing: Indexed[] = []
  let left: Known[] = []
  let repaired = 0
  const flush = async () => {
    const gone = await notLive(left, call)
    if (missing.length > 0) await engine.upsert(missing)
    if (gone.length > 0) await engine.remove(gone)
    repaired += missing.length + gone.length
    missing = []
    left = []
  }
  const { live } = await walk(engine, call, async (one) => {
    // An index that is ahead heard of a change after the page was read.
    if (one.live && (one.known === null || one.known.version < one.live.version)) missing.push(one.live)
    if (!one.live && one.known) left.push(one.known)
    if (missing.length + left.length >= REPAIRS_AT_ONCE) await flush()
  })
  await flush()
  return { gigs: live, repaired }
}

/** A gig may have come to life after its page was read: asked once more before it is taken out. */
const notLive = async (left: readonly Known[], call: Call): Promise<Known[]> => {
  if (left.length === 0) return []
  const cards = await call('gig.cards', { ids: left.map(({ id }) => id) })
  return left.filter((_, at) => cards[at] === null)
}

export const difference = async (engine: Engine, call: Call) => {
  const different: string[] = []
  const counts = await walk(engine, call, ({ id }) => {
    if (different.length < DIFFERENT_MAX) different.push(id)
  })
  return { ...counts, different }
}
