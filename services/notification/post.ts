// Sends what is due. Everything is asked again right before: whether it is still unread, still wanted, and not quiet there.
// How it ended is written on the dispatch's record; a process that dies in between is looked after by the record's timer.
import type { Documents } from '../../adapters/documents/index.ts'
import { MailError, type Mail } from '../../adapters/mail/index.ts'
import { PushError, type Push } from '../../adapters/push/index.ts'
import type { Actor } from '../../mixins/actor.ts'
import type { Here } from '../../mixins/service.ts'
import { DISPATCHES_MAX, type Settings } from './contract.ts'
import { after, dispatches, type DispatchDoc, type Outcome } from './dispatch.ts'
import { settingsOf } from './planning.ts'
import { afterQuiet } from './hours.ts'
import { letterOf, linkTo } from './letter.ts'
import { notifications, type NotificationDoc } from './notifications.ts'
import { wants } from './preferences.ts'
import { subscriptions, subscriptionsOf, type SubscriptionDoc } from './subscriptions.ts'
import { ticketFor } from './ticket.ts'

/** Dispatches under way on this node, and those that wait for their turn; what comes past it is taken up by its timer. */
export const SENDING_MAX = 10
export const WAITING_MAX = 5000
/** How long a stop waits for what is under way; the rest is taken up by its timer. */
const STOP_MS = 5000
const PUSH_TTL_SECONDS = 86_400

export type PostParts = { here: Here; documents: Documents; mail: Mail; push: Push; book: Actor<DispatchDoc> }
export type Post = {
  /** Sends it soon, once, however often it is asked meanwhile. */
  take(id: string): void
  stop(): Promise<void>
}

export const post = (parts: PostParts): Post => {
  const { here, documents, book } = parts
  const known = new Set<string>()
  const waiting: string[] = []
  const working = new Set<Promise<void>>()
  let stopped = false

  const work = async (): Promise<void> => {
    for (let id = waiting.shift(); id !== undefined && !stopped; id = waiting.shift()) {
      await carryOut(id).catch((error: unknown) => here.log.warn('a dispatch will be tried again:', error))
      known.delete(id)
    }
  }

  const carryOut = async (id: string): Promise<void> => {
    const doc = await documents.get(dispatches, id)
    if (doc?.status !== 'pending') return
    const outcome = await attempt(parts, doc).catch((error: unknown): Outcome => ({
      end: 'retry',
      reason: said(error),
    }))
    const now = await book.turn(id, (state, at) => {
      const next = state && after(state, outcome, at)
      return next && next !== state ? { next, result: next } : { result: state }
    })
    if (now?.status === 'failed') here.log.error(`dispatch ${id} by ${doc.way} has failed:`, now.reason)
    if (now?.endedAt) await trim(documents, doc.user)
  }

  return {
    take: (id) => {
      if (stopped || known.has(id) || waiting.length >= WAITING_MAX) return
      known.add(id)
      waiting.push(id)
      if (working.size >= SENDING_MAX) return
      const worker: Promise<void> = work().finally(() => working.delete(worker))
      working.add(worker)
    },
    stop: async () => {
      stopped = true
      let timer: NodeJS.Timeout | undefined
      await Promise.race([Promise.all(working), new Promise((resolve) => (timer = setTimeout(resolve, STOP_MS)))])
      clearTimeout(timer)
    },
  }
}

const attempt = async (parts: PostParts, doc: DispatchDoc): Promise<Outcome> => {
  const { here, documents } = parts
  const settings = (await settingsOf(documents, [doc.user])).get(doc.user)!
  const until = afterQuiet(settings, here.clock.now())
  if (until > here.clock.now()) return { end: 'wait', until }
  const found = (await documents.getMany(notifications, doc.notifications)).filter((one) => one !== null)
  const wanted = found.filter(({ kind }) => wants(settings, kind, doc.way))
  if (found.length > 0 && wanted.length === 0) return { end: 'skipped', reason: 'not wanted any more' }
  const unread = await stillUnread(here, doc.user, wanted)
  if (unread.length === 0) return { end: 'skipped', reason: 'read meanwhile' }
  return doc.way === 'email' ? byMail(parts, doc, unread, settings) : byPush(parts, doc, unread[0]!)
}

/** Read here, or in the conversation itself. */
const stillUnread = async (here: Here, user: string, docs: readonly NotificationDoc[]): Promise<NotificationDoc[]> => {
  const unread = docs.filter(({ readAt }) => readAt === null)
  const conversations = unread.filter(({ kind }) => kind === 'message').map(({ about }) => about.id)
  if (conversations.length === 0) return unread
  const marks = await here.call('chat.readMarks', { user, conversations })
  return unread.filter(({ kind, about, data }) => kind !== 'message' || (marks[about.id] ?? 0) < Number(data.lastSeq))
}

const byMail = async (
  { here, mail }: PostParts,
  { id, user }: DispatchDoc,
  docs: readonly NotificationDoc[],
  { email }: Settings,
): Promise<Outcome> => {
  const contact = await here.call('account.contact', { id: user })
  if (!contact) return { end: 'skipped', reason: 'there is no such person any more' }
  const { publicUrl, jwtSecret } = here.settings
  // A digest is ended as a whole, a single letter by its kind.
  const kind = email === 'instant' && docs.length === 1 ? docs[0]!.kind : 'all'
  const token = ticketFor(jwtSecret, { user, kind })
  const unsubscribeUrl = `${publicUrl}/v1/notifications/unsubscribe/${token}`
  try {
    await mail.send(
      letterOf(docs, {
        id,
        to: contact.email,
        name: contact.displayName,
        publicUrl,
        unsubscribeUrl,
        unsubscribePage: `${publicUrl}/unsubscribe/${token}`,
      }),
    )
    return { end: 'sent' }
  } catch (error) {
    return error instanceof MailError && !error.retryable
      ? { end: 'failed', reason: said(error) }
      : { end: 'retry', reason: said(error) }
  }
}

const byPush = async (
  { here, documents, push }: PostParts,
  doc: DispatchDoc,
  about: NotificationDoc,
): Promise<Outcome> => {
  const all = await subscriptionsOf(documents, doc.user)
  const left = all.filter(({ id }) => !doc.reached.includes(id))
  if (all.length === 0) return { end: 'skipped', reason: 'no browser is subscribed any more' }
  const { id, title, text } = about
  const note = {
    body: JSON.stringify({ id, title, text, url: linkTo(about.about, here.settings.publicUrl), tag: id }),
    ttlSeconds: PUSH_TTL_SECONDS,
    topic: id.slice(-32),
  }
  const troubles: { to: SubscriptionDoc; error: unknown }[] = []
  for (const to of left) await push.send(to, note).catch((error: unknown) => void troubles.push({ to, error }))
  const reached = left.filter((to) => !troubles.some((one) => one.to === to)).map((to) => to.id)
  for (const { to, error } of troubles)
    if (troubleOf(error) === 'gone') await documents.remove(subscriptions, to.id, to.version)
  const later = troubles.find(({ error }) => troubleOf(error) === 'later')
  if (later) {
    const seconds = (later.error as PushError).retryAfterSeconds
    return { end: 'retry', reason: said(later.error), afterMs: seconds && seconds * 1000, reached }
  }
  if (reached.length + doc.reached.length > 0) return { end: 'sent' }
  const never = troubles.find(({ error }) => troubleOf(error) === 'never')
  return never ? { end: 'failed', reason: said(never.error) } : { end: 'skipped', reason: 'the browsers are gone' }
}

/** What is no word of the push service is our own trouble: later. */
const troubleOf = (error: unknown) => (error instanceof PushError ? error.trouble : 'later')

/** Addresses and tokens stay out of what operators read. */
const said = (error: unknown): string =>
  (error instanceof Error ? error.message : String(error)).replaceAll(/[^\s@<]+@[^\s@>]+/g, '…@…')

const trim = async (documents: Documents, user: string): Promise<void> => {
  const over = (await documents.count(dispatches, { index: 'byEnded', equals: { endedOf: user } })) - DISPATCHES_MAX
  if (over <= 0) return
  const { docs } = await documents.find(dispatches, { index: 'byEnded', equals: { endedOf: user }, limit: over })
  for (const { id } of docs) await documents.remove(dispatches, id)
}
