// Sightings on their way: checked, counted in memory, stored every few seconds.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Call } from '../../mixins/node.ts'
import { changeDocument } from '../../mixins/change.ts'
import { repeated } from '../../mixins/repeated.ts'
import type { Here } from '../../mixins/service.ts'
import type { Caller } from '../shapes.ts'
import type { Sighting } from './contract.ts'
import { funnels, withFare, type Fare } from './funnel.ts'
import { tally } from './tally.ts'

export const STORE_EVERY_MS = 5000
/** Gigs asked for, and written, at a time. */
const BATCH = 100

export type Sightings = {
  add(
    sightings: readonly Sighting[],
    who: { caller?: Caller | undefined; visitor?: string | undefined; call: Call },
  ): Promise<number>
  store(): Promise<void>
  start(): void
  stop(): Promise<void>
}

export const sightings = (here: Here, documents: Documents): Sightings => {
  const counted = tally()
  let storing: Promise<void> = Promise.resolve()

  /** Only of gigs that are there: anybody may send any id. */
  const storeBatch = async (batch: readonly [string, Partial<Fare>][]): Promise<void> => {
    const cards = await here.call('gig.cards', { ids: batch.map(([gig]) => gig) })
    const real = batch.filter((_, at) => cards[at])
    await Promise.all(
      real.map(([gig, fare]) =>
        changeDocument(documents, funnels, gig, (doc) => withFare(doc, gig, fare, here.clock.now())).catch(
          (error: unknown) => {
            counted.putBack(gig, fare)
            here.log.debug('a count is stored later:', error)
          },
        ),
      ),
    )
  }

  const storeAll = async (): Promise<void> => {
    const taken = [...counted.take()]
    for (let at = 0; at < taken.length; at += BATCH) {
      const batch = taken.slice(at, at + BATCH)
      await storeBatch(batch).catch((error: unknown) => {
        for (const [gig, fare] of batch) counted.putBack(gig, fare)
        here.log.debug('counts are stored later:', error)
      })
    }
  }
  const store = () => (storing = storing.then(storeAll))
  const again = repeated(STORE_EVERY_MS, here.log, 'storing what was seen', store)

  return {
    add: async (all, { caller, visitor, call }) => {
      const others = caller?.roles.includes('seller') ? await notTheirOwn(all, caller, call) : all
      // A visitor's word is no account's id, so that nobody can use up another's.
      const who = caller ? `u:${caller.id}` : visitor ? `v:${visitor}` : null
      return counted.add(others, who, here.clock.now())
    },
    store,
    start: again.start,
    stop: async () => {
      await again.stop()
      await store()
    },
  }
}

/** A seller's looks at their own gigs are no interest in them. */
const notTheirOwn = async (all: readonly Sighting[], { id }: Caller, call: Call): Promise<Sighting[]> => {
  const gigs = [...new Set(all.map(({ gig }) => gig))]
  const cards = await call('gig.cards', { ids: gigs })
  const own = new Set(gigs.filter((_, at) => cards[at]?.seller.id === id))
  return all.filter(({ gig }) => !own.has(gig))
}
