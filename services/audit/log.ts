// Where the log is kept: one document per entry under its number, inserted and never touched again. Of two writers who both
// believe to keep the log only one has the next number; the other looks where the chain stands and takes the one after.
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { mailbox, MAILBOX } from '../../mixins/mailbox.ts'
import { refuse } from '../errors.ts'
import { BEGINNING, brokenLink, chained, type Head } from './chain.ts'
import { PROBLEMS_MAX, type AuditDraft, type AuditEntry } from './contract.ts'

/** `key` is what an entry was recorded under: once. */
type EntryDoc = Doc & AuditEntry & { key: string }
export const auditEntries = collection<EntryDoc>('audit_entries', {
  bySeq: { keys: ['seq'], unique: true },
  byKey: { keys: ['key'], unique: true },
  byActor: { keys: ['actor', 'seq'] },
  byTarget: { keys: ['target', 'seq'] },
  byBoth: { keys: ['actor', 'target', 'seq'] },
})

/** How often a writer looks again after somebody else's entry. */
const TRIES = 20
const WALK_BATCH = 500

type Asked = { actor?: string | undefined; target?: string | undefined; limit: number; cursor: string | null }
export type Log = {
  /** Resolves with the entry's number when it is stored. */
  append(id: string, entry: AuditDraft, deadlineAt: number): Promise<number>
  page(asked: Asked): Promise<{ data: AuditEntry[]; nextCursor: string | null }>
  head(): Promise<Head>
  verify(): Promise<{ entries: number; head: Head; problems: string[] }>
  size(): { keys: number; waiting: number }
  stop(): Promise<void>
}

export const openLog = (documents: Documents, now: () => number): Log => {
  const box = mailbox<Head>(MAILBOX)

  const head = async (): Promise<Head> => {
    const { docs } = await documents.find(auditEntries, { index: 'bySeq', order: 'desc', limit: 1 })
    return docs[0] ? { seq: docs[0].seq, hash: docs[0].hash } : BEGINNING
  }

  const append = (key: string, draft: AuditDraft, deadlineAt: number): Promise<number> =>
    box.run('main', deadlineAt, async (slot) => {
      for (let attempt = 0; attempt < TRIES; attempt++) {
        const before = slot.state ?? (await head())
        // Unknown until it is known how the write went.
        slot.state = undefined
        const entry = chained(before, draft, now())
        const outcome = await documents.insert(auditEntries, { ...entry, id: idOf(entry.seq), version: 1, key })
        if (outcome.ok) {
          slot.state = { seq: entry.seq, hash: entry.hash }
          return entry.seq
        }
        const { docs } = await documents.find(auditEntries, { index: 'byKey', equals: { key }, limit: 1 })
        if (docs[0]) return docs[0].seq
      }
      throw refuse('overloaded', 'the audit log is being written elsewhere', { retryAfterSeconds: 1 })
    })

  const page = async ({ actor, target, limit, cursor }: Asked) => {
    const index = actor ? (target ? 'byBoth' : 'byActor') : target ? 'byTarget' : 'bySeq'
    const equals = { ...(actor && { actor }), ...(target && { target }) }
    const { docs, next } = await documents.find(auditEntries, { index, equals, order: 'desc', limit, cursor })
    return { data: docs.map(entryOf), nextCursor: next }
  }

  const verify = async () => {
    const problems: string[] = []
    let at: Head = BEGINNING
    for (;;) {
      const query = { index: 'bySeq', from: at.seq + 1, limit: WALK_BATCH }
      const entries = (await documents.find(auditEntries, query)).docs.map(entryOf)
      if (entries.length === 0) return { entries: at.seq, head: at, problems }
      for (const entry of entries) {
        const broken = brokenLink(at, [entry])
        if (broken && problems.length < PROBLEMS_MAX) problems.push(broken)
        at = { seq: entry.seq, hash: entry.hash }
      }
    }
  }

  return {
    append,
    page,
    head,
    verify,
    size: box.size,
    stop: async () => {
      await box.drained()
      box.stop()
    },
  }
}

const idOf = (seq: number): string => String(seq).padStart(12, '0')

const entryOf = ({ id: _id, version: _version, key: _key, ...entry }: EntryDoc): AuditEntry => entry
