// Messages that a rule found something about, kept until a moderator has decided.
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import type { Call } from '../../mixins/node.ts'
import type { Heard } from '../../mixins/service.ts'
import { isRefused, refuse } from '../errors.ts'
import { iso } from '../shapes.ts'
import type { Suspect } from './contract.ts'

/** Keyed by the message. `waitingAt` only while it waits, so that only those are in the index. */
export type SuspectDoc = Doc &
  Omit<Suspect, 'message' | 'at'> & {
    at: number
    waitingAt: number | null
    /** The event it was last told by. */ heard: string
  }
export const suspects = collection<SuspectDoc>('suspects', { byWaiting: { keys: ['waitingAt'] } })

/** How often a write looks again after somebody else's. */
const TRIES = 8

export const publicSuspect = ({ id, conversation, sender, outcome, reasons, at, status }: SuspectDoc): Suspect => ({
  message: id,
  conversation,
  sender,
  outcome,
  reasons,
  at: iso(at),
  status,
})

/** An edit that is suspected again waits again; an event heard twice changes nothing. */
export const suspected = async (
  documents: Documents,
  { id: heard, data, at }: Heard<'message.suspected'>,
): Promise<void> => {
  const { message: id, conversation, sender, outcome, reasons } = data
  const doc = {
    id,
    version: 1,
    conversation,
    sender,
    outcome,
    reasons,
    at,
    status: 'waiting',
    waitingAt: at,
    heard,
  } as const
  if ((await documents.insert(suspects, { ...doc, reasons: [...reasons] })).ok) return
  await change(documents, id, (known) => (known.heard === heard ? null : { ...known, ...doc, reasons: [...reasons] }))
}

export const decided = async (
  documents: Documents,
  call: Call,
  message: string,
  status: 'released' | 'removed',
): Promise<Suspect> => {
  const known = await documents.get(suspects, message)
  if (!known) throw refuse('not_found', 'no such message waits for a moderator')
  if (known.status === status) return publicSuspect(known)
  const reached = await applied(call, known, status)
  return publicSuspect(
    await change(documents, message, (suspect) => ({ ...suspect, status: reached, waitingAt: null })),
  )
}

/** The conversation does it first: a decision that is kept is one that was carried out. */
const applied = async (
  call: Call,
  { id: message, conversation: id }: SuspectDoc,
  status: 'released' | 'removed',
): Promise<Suspect['status']> => {
  try {
    await call(status === 'released' ? 'chat.release' : 'chat.remove', { id, message })
    return status
  } catch (error) {
    // Never stored, or deleted by its sender meanwhile.
    if (isRefused(error, 'not_found') || isRefused(error, 'conflict')) return 'gone'
    throw error
  }
}

const change = async (
  documents: Documents,
  id: string,
  next: (suspect: SuspectDoc) => SuspectDoc | null,
): Promise<SuspectDoc> => {
  for (let attempt = 0; attempt < TRIES; attempt++) {
    const known = await documents.get(suspects, id)
    if (!known) throw refuse('not_found', 'no such message waits for a moderator')
    const changed = next(known)
    if (!changed) return known
    const written = { ...changed, id, version: known.version + 1 }
    if ((await documents.replace(suspects, written, known.version)).ok) return written
  }
  throw refuse('overloaded', 'this message is being decided elsewhere', { retryAfterSeconds: 1 })
}
