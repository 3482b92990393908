// From stored notifications to records of what is to be sent: by each person's settings, the same records however often
// it is asked, so that a crash in between is made good by asking again.
import { BULK_MAX, type Documents } from '../../adapters/documents/index.ts'
import type { Actor } from '../../mixins/actor.ts'
import type { Here } from '../../mixins/service.ts'
import type { Settings, Way } from './contract.ts'
import { dispatches, gathered, pending, type DispatchDoc } from './dispatch.ts'
import { digestAt } from './hours.ts'
import type { NotificationDoc } from './notifications.ts'
import { DEFAULTS, leavesAt, preferences, waysWanted } from './preferences.ts'
import { subscriptionsOf } from './subscriptions.ts'

export type PlanParts = {
  here: Here
  documents: Documents
  book: Actor<DispatchDoc>
  /** Whether web push is set up here. */
  hasPush: boolean
}
export type Plan = (docs: readonly NotificationDoc[]) => Promise<void>

export const settingsOf = async (documents: Documents, users: readonly string[]): Promise<Map<string, Settings>> => {
  const all = [...new Set(users)]
  const found = await documents.getMany(preferences, all)
  return new Map(all.map((user, at) => [user, found[at]?.settings ?? DEFAULTS]))
}

export const planner = ({ here, documents, book, hasPush }: PlanParts): Plan => {
  const planned = (doc: NotificationDoc, settings: Settings, way: Way) => {
    const { id, user, at, createdAt } = doc
    // One letter while it is unread; a push whenever there is more, which takes the place of the one before.
    const said = way === 'push' ? at : createdAt
    const isDigest = way === 'email' && settings.email !== 'instant'
    const bucket = isDigest ? `${user}/${settings.email}/${digestAt(settings, said)}` : `${id}/${said}`
    return pending(
      here.newId('dpt', { id: `${way}/${bucket}`, at: isDigest ? digestAt(settings, said) : said }),
      user,
      way,
      id,
      here.clock.now(),
      leavesAt(settings, way, said),
    )
  }

  const isDigest = ({ way, user }: DispatchDoc, settings: Map<string, Settings>): boolean =>
    way === 'email' && settings.get(user)!.email !== 'instant'

  /** Into the letter that is being gathered; into one of its own when that has left without it. */
  const gather = async (doc: DispatchDoc & { wakeAt: number }): Promise<void> => {
    const [notification] = doc.notifications as [string]
    const isIn = await book.turn(doc.id, (state) => {
      if (!state) return { next: doc, result: true }
      const next = gathered(state, notification)
      // A full letter waits as it is: what is past it is in the app only.
      if (!next) return { result: state.status === 'pending' || state.notifications.includes(notification) }
      return { next, result: true }
    })
    if (isIn) return
    const id = here.newId('dpt', { id: `email/${notification}/alone`, at: doc.wakeAt })
    await documents.insert(dispatches, { ...doc, id, wakeAt: here.clock.now() })
  }

  return async (docs) => {
    const settings = await settingsOf(
      documents,
      docs.map(({ user }) => user),
    )
    const ways = new Map<string, boolean>()
    for (const user of settings.keys()) ways.set(user, hasPush && (await subscriptionsOf(documents, user)).length > 0)
    const plans = docs.flatMap((doc) => {
      const theirs = settings.get(doc.user)!
      return waysWanted(theirs, doc.kind)
        .filter((way) => way !== 'push' || ways.get(doc.user))
        .map((way) => planned(doc, theirs, way))
    })
    const single = plans.filter((plan) => !isDigest(plan, settings))
    for (let from = 0; from < single.length; from += BULK_MAX)
      await documents.insertMany(dispatches, single.slice(from, from + BULK_MAX))
    for (const plan of plans) if (isDigest(plan, settings)) await gather(plan)
  }
}
