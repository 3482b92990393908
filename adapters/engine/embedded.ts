// The embedded engine: a columnar index of our own in a worker thread, so that the main thread never searches.
// What the index holds is in ./embedded; this is its front: limits, and the port's promises.
import { openLink, type Link } from './embedded/link.ts'
import { settingsUsual, type SettingsSent } from './embedded/settings.ts'
import { bounded } from './bounded.ts'
import { SEARCHES_WAITING_MAX, type Engine, type IndexedGig, type NextIndex } from './index.ts'

export type EmbeddedOptions = {
  /** Where the index is kept; made when missing. One engine per folder. */
  dir: string
  log: { info(...args: unknown[]): void; warn(...args: unknown[]): void; error(...args: unknown[]): void }
  /** Memory of the worker's own heap, without the index itself; the runtime's usual limit when left out. */
  heapMbMax?: number
}

/** Gigs and removals that may wait to be indexed at once; past it EngineError 'engine_busy'. */
export const WRITES_WAITING_MAX = 200_000
/** Gigs in one message: copying it costs the main thread well under a millisecond. */
const MESSAGE_GIGS_MAX = 64
/** Messages of one upsert under way at once, so that searches get their turn in between. */
const MESSAGES_UNDER_WAY_MAX = 8

export async function openEmbeddedEngine(options: EmbeddedOptions): Promise<Engine> {
  const { dir, log, heapMbMax } = options
  // Kept here, so that a worker that is started again has them.
  let settings = settingsUsual()
  const link = await openLink({
    dir,
    settings: () => settings,
    warn: (text) => log.warn(text),
    ...(heapMbMax === undefined ? {} : { heapMbMax }),
  })
  const configure = async (changed: Partial<SettingsSent>) => {
    settings = { ...settings, ...changed }
    await link.call('configure', settings)
  }
  const asked = bounded(SEARCHES_WAITING_MAX, 'too many searches are waiting')
  const written = bounded(WRITES_WAITING_MAX, 'too many gigs are waiting to be indexed')
  const next: NextIndex = {
    upsert: (gigs) => sendInPieces(gigs, (piece) => link.call('upsertNext', piece.map(plain))),
    remove: (gigs) => sendInPieces(gigs, (piece) => link.call('removeNext', piece)),
    versions: (page) => link.call('versionsNext', page),
  }
  return {
    shared: false,
    upsert: (gigs) => written(gigs.length, () => sendInPieces(gigs, (piece) => link.call('upsert', piece.map(plain)))),
    remove: (gigs) => written(gigs.length, () => sendInPieces(gigs, (piece) => link.call('remove', piece))),
    search: (query) => asked(1, () => link.call('search', query)),
    setSynonyms: (groups) => configure({ synonyms: groups.map((group) => [...group]) }),
    setRanking: (ranking) => configure({ ranking: { ...ranking } }),
    setPins: (pins) => configure({ pins: pins.map(({ q, ids }) => ({ q, ids: [...ids] })) }),
    suggest: (prefix, limit) => asked(1, () => link.call('suggest', { prefix, limit })),
    versions: (page) => asked(1, () => link.call('versions', page)),
    async stats() {
      return { ...(await asked(1, () => link.call('stats', null))), restarts: link.restarts() }
    },
    async flush() {
      await link.call('flush', null)
    },
    async clear() {
      await link.call('clear', null)
    },
    async rebuild(fill) {
      await link.call('beginNext', null)
      try {
        await fill(next)
        await link.call('takeNext', null)
      } catch (error) {
        await link.call('dropNext', null).catch(() => undefined)
        throw error
      }
    },
    close: () => closeSafely(link, log),
  }
}

/** What was accepted is on disk before the worker ends, if the disk lets it. */
async function closeSafely(link: Link, log: EmbeddedOptions['log']) {
  try {
    await link.call('flush', null)
  } catch (error) {
    log.warn(`search index: not saved when closing: ${error instanceof Error ? error.message : error}`)
  }
  await link.close()
}

async function sendInPieces<T>(all: readonly T[], send: (piece: readonly T[]) => Promise<unknown>): Promise<void> {
  const step = MESSAGE_GIGS_MAX * MESSAGES_UNDER_WAY_MAX
  for (let at = 0; at < all.length; at += step) {
    const pieces: Promise<unknown>[] = []
    for (let from = at; from < Math.min(at + step, all.length); from += MESSAGE_GIGS_MAX) {
      const piece = send(all.slice(from, Math.min(from + MESSAGE_GIGS_MAX, at + step)))
      // Told by Promise.all below; until then a refusal is not an unheard one.
      piece.catch(() => {})
      pieces.push(piece)
      await nextTurn()
    }
    await Promise.all(pieces)
  }
}

/** Lets the main thread do other things between two messages. */
const nextTurn = () =>
  new Promise<void>((resolve) => {
    setImmediate(resolve)
  })

/** Only what the index knows travels to the worker. */
function plain(gig: IndexedGig): IndexedGig {
  const { id, version, title, description, tags, category, subcategory } = gig
  const { sellerId, sellerName, sellerLevel, languages } = gig
  const { price, currency, deliveryDays, rating, reviewCount, orderCount, createdAt, quality } = gig
  return {
    id,
    version,
    title,
    description,
    tags,
    category,
    subcategory,
    sellerId,
    sellerName,
    sellerLevel,
    languages,
    price,
    currency,
    deliveryDays,
    rating,
    reviewCount,
    orderCount,
    createdAt,
    quality,
  }
}
