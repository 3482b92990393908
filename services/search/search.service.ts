// Search: finding gigs, categories with their counts, suggestions. The engine answers; cards come from memory or the gig
// actor. The index is a projection: fed by what gigs say, compared with them at the start and after every mishap.
import {
  EngineError,
  type Engine,
  type Matched,
  type SearchQuery,
  type SearchResult,
  type Tuning,
} from '../../adapters/engine/index.ts'
import { marksOf } from '../../adapters/engine/marks.ts'
import type { Fanout } from '../../adapters/fanout/index.ts'
import type { Call } from '../../mixins/node.ts'
import { opsOf } from '../../mixins/ops.ts'
import { service, type Ctx, type Heard, type Here } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import { asking, type Asking } from './asking.ts'
import { cards, type Cards } from './cards.ts'
import { search as contract, type SearchPage, type Tunable } from './contract.ts'
import { placeCounts } from './counts.ts'
import { keeper, type Keeper } from './keeper.ts'
import { meters, type Meters } from './meters.ts'
import { popular, type Popular } from './popular.ts'
import { queryOf, queryText, type Asked } from './query.ts'
import { rebuilder } from './rebuild.ts'
import { difference } from './repair.ts'
import { fused, similarQueries } from './similar.ts'
import { changed, publicSettings, SETTINGS, settingsDocs, tunableOf, type SettingsDoc } from './settings.ts'
import { placesLike, treeWith } from './tree.ts'
import { tuner, tuningOf } from './tuning.ts'

/** Suggestions in one answer, and how many of them may be categories. */
export const SUGGESTIONS_MAX = 10
const PLACES_MAX = 3
const POPULAR_SHOWN_MAX = 5

type Search = {
  here: Here
  engine: Engine
  fanout: Fanout
  cards: Cards
  popular: Popular
  asking: Asking
  keeper: Keeper
  meters: Meters
}
type Action<K extends keyof (typeof contract)['actions']> = Ctx<(typeof contract)['actions'][K]>

export default service(contract, async (here) => {
  const count = meters(opsOf(here.broker).registry)
  const engine = refusing(await here.open('engine'), count)
  const fanout = await here.open('fanout')
  const known = cards()
  const self: Search = {
    here,
    engine,
    fanout,
    cards: known,
    popular: popular(),
    asking: asking(here),
    keeper: keeper(here, engine, fanout, (gigs) => count.repaired.add(gigs)),
    meters: count,
  }
  const book = await here.actor<SettingsDoc>({ of: settingsDocs })
  const tuned = tuner({ here, engine, fanout, book })
  const anew = rebuilder({ engine, call: here.call, repair: self.keeper.repair })
  const stopListening = [
    fanout.onNodes('hot.changed', (notice) => forgetTagged(known, notice)),
    fanout.onMissed(known.clear),
  ]
  return {
    actions: {
      gigs: (ctx) => find(self, ctx),
      suggest: (ctx) => suggest(self, ctx),
      categories: async () => ({ data: treeWith(await placeCounts(engine)) }),
      similar: (ctx) => similar(self, ctx),
      settings: async () => publicSettings(await book.read(SETTINGS)),
      changeSettings: async ({ params, caller, deadlineAt }) => {
        const change = (doc: SettingsDoc | null, now: number) => changed(doc, params, caller.id, now)
        return publicSettings(await book.turn(SETTINGS, change, { deadlineAt, settle: [contract.name] }))
      },
      preview: async ({ params: { query, settings }, call }) => {
        const stored = tunableOf(await book.read(SETTINGS))
        const trial = tuningOf({ ...stored, ...settings } as Tunable)
        const [before, after] = await Promise.all([answer(self, query, call), answer(self, query, call, trial)])
        return { before: before.page, after: after.page, untried: after.untried }
      },
      index: async ({ params }) => {
        await engine.upsert(params.gigs)
        fanout.toNodes('hot.changed', {
          tags: ['search', 'categories', ...new Set(params.gigs.map(({ category }) => `category:${category}`))],
        })
        self.keeper.othersAreBehind()
        return {}
      },
      reindex: () => self.keeper.repair(),
      rebuild: async () => anew.start(),
      rebuilding: async () => anew.progress(),
      difference: () => difference(engine, here.call),
    },
    hears: {
      'gig.changed': (event) => gigChanged(self, event),
      'search.settings.changed': async () => {
        await tuned.takeUp()
        tuned.tellNodes()
      },
    },
    started: async () => {
      await tuned.start()
      self.keeper.start()
      self.asking.start()
    },
    stopped: async () => {
      tuned.stop()
      for (const stop of stopListening) stop()
      await Promise.all([anew.stop(), self.keeper.stop(), self.asking.stop()])
    },
  }
})

const find = async (self: Search, { params, call }: Action<'gigs'>): Promise<SearchPage> => {
  const { page } = await answer(self, params, call)
  const { q, corrected, loosened } = page.query
  if (!q || params.cursor !== undefined) return page
  self.asking.count(q, loosened ? 'loosened' : page.total === 0 ? 'nothing' : 'found')
  if (page.data.length > 0 && corrected === undefined && !loosened) self.popular.count(q)
  return page
}

/** `trial`: as if these settings were the engine's. */
const answer = async (
  { engine, cards: known }: Search,
  asked: Asked,
  call: Call,
  trial?: Tuning,
): Promise<{ page: SearchPage; untried: string[] }> => {
  const startedAt = performance.now()
  const query = queryOf(asked)
  const result = await engine.search(trial ? { ...query, trial } : query)
  const data = await known.of(
    result.hits.map(({ id }) => id),
    call,
  )
  const page: SearchPage = {
    data,
    total: result.total,
    facets: result.facets,
    nextCursor: result.nextCursor,
    tookMs: Math.round((performance.now() - startedAt) * 100) / 100,
    query: queryAnswered(query, result),
    ...(result.matched && { highlights: highlightsOf(data, result.matched) }),
  }
  return { page, untried: result.untried ?? [] }
}

/** Per gig, without those whose title has none of the words. */
const highlightsOf = (found: SearchPage['data'], matched: Matched): NonNullable<SearchPage['highlights']> =>
  Object.fromEntries(
    found
      .map(({ id, title }) => [id, { title: marksOf(title, matched) }] as const)
      .filter(([, { title }]) => title.length > 0),
  )

const queryAnswered = ({ q }: SearchQuery, { corrected, loosened }: SearchResult): SearchPage['query'] => ({
  ...(q && { q }),
  ...(corrected !== undefined && { corrected }),
  ...(loosened && { loosened }),
})

const suggest = async ({ engine, popular: asked }: Search, { params }: Action<'suggest'>) => {
  const typed = queryText(params.q)
  const places = placesLike(typed, PLACES_MAX).map(({ text, path }) => ({ text, kind: 'category', path }))
  const often = asked.like(typed, POPULAR_SHOWN_MAX).map((text) => ({ text, kind: 'popular' }))
  const completed = typed === '' ? [] : await engine.suggest(typed, SUGGESTIONS_MAX)
  const texts = [...often, ...completed.filter(({ kind }) => kind === 'completion')]
  const distinct = [...new Map(texts.map((one) => [one.text.toLowerCase(), one])).values()]
  return { data: [...distinct.slice(0, SUGGESTIONS_MAX - places.length), ...places] }
}

const similar = async ({ engine, cards: known }: Search, { params: { id }, call }: Action<'similar'>) => {
  const [gig] = await known.of([id], call)
  if (!gig) throw refuse('not_found', 'there is no such gig')
  const [touched, ...results] = await Promise.all([
    touchedWith(call, id),
    ...similarQueries(gig).map((query) => engine.search(query)),
  ])
  const alike = results.map(({ hits }) => hits.map((hit) => hit.id))
  // What people did counts as often as it says something: once for the list, once more for its order.
  return { data: await known.of(fused([touched, touched, ...alike], id), call) }
}

const TOUCHED_MS = 500
/** Gigs that people touched who touched this one; without them it is alike by its words alone. */
const touchedWith = async (call: Action<'similar'>['call'], gig: string): Promise<string[]> =>
  (await call('recommendation.near', { gig }, { timeoutMs: TOUCHED_MS }).catch(() => ({ gigs: [] }))).gigs

/** First the index, then the prepared answers: nobody keeps a page made from the old one. */
const gigChanged = async (
  { engine, fanout, cards: known, keeper: { tellOthers }, meters: count }: Search,
  event: Heard<'gig.changed'>,
): Promise<void> => {
  const { id, version, category, indexed } = event.data
  count.began(event)
  known.forget(id)
  try {
    if (indexed) await engine.upsert([indexed])
    else await engine.remove([{ id, version }])
    count.done(event)
    tellOthers(indexed ? { upsert: indexed } : { remove: { id, version } })
  } finally {
    // Also where the engine is down: answers that show this gig must not stand in for new ones.
    const ended = indexed ? [`gig:${id}`] : [`gig:${id}`, `gone:${id}`]
    fanout.toNodes('hot.changed', { tags: [...ended, 'search', `category:${category}`, 'categories'] })
  }
}

const GIG_TAG = 'gig:'
const forgetTagged = (known: Cards, notice: unknown): void => {
  const { tags } = notice as { tags?: unknown }
  if (!Array.isArray(tags)) return
  for (const tag of tags)
    if (typeof tag === 'string' && tag.startsWith(GIG_TAG)) known.forget(tag.slice(GIG_TAG.length))
}

const REFUSALS = {
  bad_cursor: 'bad_cursor',
  bad_query: 'validation_failed',
  engine_busy: 'overloaded',
  engine_down: 'unavailable',
} as const

/** The engine with its troubles in words that a client, and the delivery of events, understand; timed and counted. */
const refusing = (engine: Engine, count: Meters): Engine => {
  const said = (error: unknown): never => {
    if (!(error instanceof EngineError)) throw error
    count.refused(error.code)
    throw refuse(REFUSALS[error.code], error.message, { retryAfterSeconds: 1 })
  }
  const timed = async <T>(asked: string, answer: Promise<T>): Promise<T> => {
    const startedAt = performance.now()
    const given = await answer.catch(said)
    count.seconds(asked).observe((performance.now() - startedAt) / 1000)
    return given
  }
  return {
    shared: engine.shared,
    upsert: (gigs) => timed('upsert', engine.upsert(gigs)),
    remove: (gigs) => timed('remove', engine.remove(gigs)),
    search: (query) => timed('search', engine.search(query)),
    setSynonyms: (groups) => engine.setSynonyms(groups).catch(said),
    setRanking: (ranking) => engine.setRanking(ranking).catch(said),
    setPins: (pins) => engine.setPins(pins).catch(said),
    suggest: (prefix, limit) => timed('suggest', engine.suggest(prefix, limit)),
    flush: () => engine.flush().catch(said),
    versions: (page) => engine.versions(page).catch(said),
    stats: () => engine.stats().catch(said),
    clear: () => engine.clear().catch(said),
    rebuild: (fill) => engine.rebuild(fill).catch(said),
    close: () => engine.close(),
  }
}
