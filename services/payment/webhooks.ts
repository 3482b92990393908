// What the provider tells: kept once, answered at once, worked on from the store. An event is only a hint that an object
// changed; the object is fetched and applied as it is now, so duplicates and a wrong order change nothing.
import type { ProviderEvent } from '../../adapters/payments/index.ts'
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import type { Log } from '../../mixins/node.ts'
import { inParallel } from '../../mixins/timers.ts'
import { repeated, type Repeated } from '../../mixins/repeated.ts'

/** `openAt`: set until it was worked on. Machine epoch ms: an event's age has nothing to do with a moved clock. */
type KeptEvent = Doc & { event: ProviderEvent; receivedAt: number; openAt: number | null; tries: number }
export const paymentEvents = collection<KeptEvent>('payment_events', {
  byOpen: { keys: ['openAt'] },
  byReceived: { keys: ['receivedAt'] },
})

export type Webhooks = Repeated & {
  /** Resolves when the event is kept; it is worked on afterwards. */
  receive(event: ProviderEvent): Promise<void>
}

const SWEEP_MS = 2000
const AT_ONCE = 16
/** Events of one sweep. */
const SWEEP_BATCH = 200
const RETRY_MS = 2000
const RETRY_MAX_MS = 10 * 60_000
/** An event that can't be worked on is left to the operation's own timer. */
const TRIES_MAX = 20
/** The provider repeats events for three days. */
const KEPT_MS = 30 * 86_400_000

/** Lets the operation an event is about look at its object. */
type Apply = (event: ProviderEvent) => Promise<void>

export const openWebhooks = (documents: Documents, log: Log, apply: Apply): Webhooks => {
  const working = new Set<string>()

  const receive = async (event: ProviderEvent) => {
    const receivedAt = Date.now()
    const doc: KeptEvent = { id: event.id, version: 1, event, receivedAt, openAt: receivedAt, tries: 0 }
    if ((await documents.insert(paymentEvents, doc)).ok) void work(doc)
  }

  const work = async (doc: KeptEvent) => {
    if (working.has(doc.id)) return
    working.add(doc.id)
    try {
      const failure = await apply(doc.event).then(
        () => null,
        (error: unknown) => error,
      )
      if (failure) log.warn(`webhook ${doc.event.type} ${doc.id}, tried again:`, failure)
      const tries = doc.tries + 1
      const openAt =
        failure && tries < TRIES_MAX ? Date.now() + Math.min(RETRY_MAX_MS, RETRY_MS * 2 ** doc.tries) : null
      await documents.replace(paymentEvents, { ...doc, version: doc.version + 1, tries, openAt }, doc.version)
    } catch (error) {
      log.warn(`webhook ${doc.id} stays open:`, error)
    } finally {
      working.delete(doc.id)
    }
  }

  /** What a dead process left open, what is to be tried again, and what is old enough to be forgotten. */
  const sweep = async () => {
    const open = await documents.find(paymentEvents, { index: 'byOpen', to: Date.now() - SWEEP_MS, limit: SWEEP_BATCH })
    await inParallel(open.docs, AT_ONCE, work)
    const old = await documents.find(paymentEvents, {
      index: 'byReceived',
      to: Date.now() - KEPT_MS,
      limit: SWEEP_BATCH,
    })
    for (const { id } of old.docs) await documents.remove(paymentEvents, id)
  }

  return { receive, ...repeated(SWEEP_MS, log, 'looking for open webhooks', sweep) }
}
