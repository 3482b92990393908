// Discovery: searches kept with alerts, what is popular and what is missing, how gigs fare. Key of the kept searches: the
// person. Counts are gathered in memory and stored every few seconds; what is promised (alerts) goes by timers and events.
import type { Documents } from '../../adapters/documents/index.ts'
import { changeDocument } from '../../mixins/change.ts'
import { service, type Ctx } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import { alerts } from './alerts.ts'
import { discovery as contract, type Told } from './contract.ts'
import { funnelOf, funnels, withOrder } from './funnel.ts'
import { changed, kept, nameOf, publicSaved, removed, savedSearches, wake, type SavedDoc } from './saved.ts'
import { sightings } from './sightings.ts'
import {
  countable,
  counted,
  dayBucket,
  daysBefore,
  hourBucket,
  hoursBefore,
  report,
  RISING_HOURS,
  shown,
  textBuckets,
  USUAL_DAYS,
} from './texts.ts'

const REPORT_DAYS = 7
const FUNNEL_DAYS = 30
/** Buckets that got too old, taken away with one count. */
const SWEPT_MAX = 100

type Action<K extends keyof (typeof contract)['actions']> = Ctx<(typeof contract)['actions'][K]>

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  await documents.declare([textBuckets, funnels] as never)
  const book = await here.actor<SavedDoc>({ of: savedSearches, wake })
  const seen = sightings(here, documents)
  const alert = alerts(here, book)
  const now = () => here.clock.now()
  const buckets = (ids: string[]) => documents.getMany(textBuckets, ids)
  return {
    actions: {
      save: async ({
        params: { name, query, alert: rhythm = 'daily' },
        caller,
        meta,
        call,
        deadlineAt,
      }: Action<'save'>) => {
        // What can't be asked is refused now, not at the first alert.
        await call('search.gigs', { ...query, limit: 1 })
        const id = here.newId('svs', meta.command)
        const one = { id, name: name?.trim() || nameOf(query), query, alert: rhythm }
        const options = { deadlineAt }
        const saved = await book.turn(caller.id, (doc, at) => kept(doc, caller.id, one, at), options)
        if (saved.id !== id) meta.$statusCode = 200
        return publicSaved(saved)
      },
      saved: async ({ caller }) => ({ data: ((await book.read(caller.id))?.searches ?? []).map(publicSaved) }),
      change: async ({ params: { id, ...change }, caller, deadlineAt }) =>
        publicSaved(await book.turn(caller.id, (doc, at) => changed(doc, id, change, at), { deadlineAt })),
      remove: async ({ params: { id }, caller, deadlineAt }) => ({
        removed: await book.turn(caller.id, (doc) => removed(doc, id), { deadlineAt }),
      }),
      popular: async () => {
        const [hours, days] = await Promise.all([
          buckets(hoursBefore(now(), RISING_HOURS)),
          buckets(daysBefore(now(), USUAL_DAYS)),
        ])
        return { data: shown(hours, days) }
      },
      report: async ({ params: { days = REPORT_DAYS } }) => report(await buckets(daysBefore(now(), days))),
      sight: async ({ params, caller, call }) => {
        const opened = params.sightings.flatMap(({ kind, gig }) => (kind === 'click' ? [gig] : []))
        // What recommendations miss is no loss.
        if (caller && opened.length > 0)
          void call('recommendation.touch', { user: caller.id, gigs: opened, how: 'opened' }).catch(() => undefined)
        return { counted: await seen.add(params.sightings, { caller, visitor: params.visitor, call }) }
      },
      funnel: async ({ params: { id, days = FUNNEL_DAYS }, caller, call }) => {
        const gig = await call('gig.get', { id })
        if (gig.seller.id !== caller.id) throw refuse('forbidden', 'only its seller sees how a gig fares')
        await seen.store()
        return funnelOf(await documents.get(funnels, id), days, now())
      },
      asked: async ({ params }) => {
        await keepAsked(documents, params.texts, now())
        return {}
      },
      forget: async ({ params: { user } }) => {
        const doc = await book.read(user)
        if (!doc?.searches.length) return { removed: 0 }
        const none = (state: SavedDoc | null) =>
          state ? { next: { ...state, searches: [], wakeAt: null }, result: null } : { result: null }
        await book.turn(user, none)
        return { removed: doc.searches.length }
      },
    },
    hears: {
      'discovery.due': ({ data }) => alert.due(data),
      'order.completed': async ({ data: { gig, order } }) =>
        void (await changeDocument(documents, funnels, gig, (doc) => withOrder(doc, gig, order, now()))),
    },
    started: async () => seen.start(),
    stopped: () => seen.stop(),
  }
})

/** Into the hour and the day; what got too old goes. */
const keepAsked = async (documents: Documents, texts: readonly Told[], now: number): Promise<void> => {
  const told = texts.flatMap((one) => {
    const text = countable(one.text)
    return text === null ? [] : [{ ...one, text }]
  })
  if (told.length === 0) return
  for (const bucket of [hourBucket(now), dayBucket(now)])
    await changeDocument(documents, textBuckets, bucket.id, (doc) => counted(doc, bucket, told))
  const old = await documents.find(textBuckets, { index: 'byUntil', to: now, limit: SWEPT_MAX })
  for (const { id } of old.docs) await documents.remove(textBuckets, id)
}
