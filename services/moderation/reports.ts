// What people report, each a document of its own: once per person, thing and time that it waits.
import type { Doc, Documents } from '../../adapters/documents/index.ts'
import { collection } from '../../adapters/documents/index.ts'
import { refuse } from '../errors.ts'
import { iso } from '../shapes.ts'
import { REPORTS_PER_DAY_MAX, type Report, type Target } from './contract.ts'

export type ReportDoc = Doc & { user: string; target: Target; reason: string; text?: string; at: number }
export const reports = collection<ReportDoc>('reports', { byUser: { keys: ['user', 'at'] } })

const DAY_MS = 86_400_000

/** False: it was there. */
export const keepReport = async (
  documents: Documents,
  doc: ReportDoc,
): Promise<{ isNew: boolean; report: ReportDoc }> => {
  const known = await documents.get(reports, doc.id)
  if (known) return { isNew: false, report: known }
  const today = { index: 'byUser', equals: { user: doc.user }, from: doc.at - DAY_MS }
  if ((await documents.count(reports, today)) >= REPORTS_PER_DAY_MAX)
    throw refuse('rate_limited', `at most ${REPORTS_PER_DAY_MAX} reports a day`, { retryAfterSeconds: 3600 })
  const { ok } = await documents.insert(reports, doc)
  return { isNew: ok, report: ok ? doc : ((await documents.get(reports, doc.id)) ?? doc) }
}

export const publicReport = ({ id, target, reason, text, at }: ReportDoc): Report => ({
  id,
  target,
  reason,
  ...(text !== undefined && { text }),
  createdAt: iso(at),
})
