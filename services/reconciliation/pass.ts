// One pass over both sides, a page at a time, its progress kept after each: a pass whose node dies is taken over where it was.
import type { Documents } from '../../adapters/documents/index.ts'
import type { Call, Log } from '../../mixins/node.ts'
import { balancesOf, unexplainedSince } from './balances.ts'
import type { Desk } from './desk.ts'
import {
  newState,
  openSuspense,
  PLATFORM,
  states,
  suspense,
  type PassDoc,
  type StateDoc,
  type SuspenseDoc,
} from './store.ts'

export type Passes = {
  /** Begins what is due, or takes over what was left; null when it is nobody's turn. Resolves when done. */
  run(asked?: { now?: boolean; full?: boolean }): Promise<StateDoc | null>
  state(): Promise<StateDoc>
}
type Parts = { documents: Documents; call: Call; desk: Desk; log: Log; now(): number; platformNow(): number }

const HOUR_MS = 3_600_000
export const PASS_EVERY_MS = HOUR_MS
export const FULL_EVERY_MS = 24 * HOUR_MS
/** How far back a full pass reads the provider's statement again; the first one reads all of it. */
export const FULL_BACK_MS = 35 * 24 * HOUR_MS
/** Read again each time: the provider lists late what happened in the same moment. */
export const OVERLAP_MS = 10 * 60_000
/** What has no other side for longer is an alarm; a wrong amount or a second payment is one at once. */
export const GRACE_MS = HOUR_MS
const PAGE = 100
/** Without a sign of it a pass is taken over after this. */
const CLAIM_MS = 60_000

export const openPasses = ({ documents, call, desk, log, now, platformNow }: Parts): Passes => {
  let running: Promise<StateDoc | null> | null = null
  const state = async () => (await documents.get(states, PLATFORM)) ?? newState()

  /** Written if nobody else did meanwhile; null: somebody did, and goes on. */
  const save = async (doc: StateDoc): Promise<StateDoc | null> => {
    const next = { ...doc, version: doc.version + 1 }
    const { ok } =
      doc.version === 0 ? await documents.insert(states, next) : await documents.replace(states, next, doc.version)
    return ok ? next : null
  }

  const begin = async ({ now: atOnce = false, full = false }: { now?: boolean; full?: boolean }) => {
    const known = await state()
    const isLeft = known.pass !== null
    if (!atOnce && known.nextAt > now()) return null
    if (isLeft && known.nextAt > now()) return null
    const pass = isLeft && !full ? known.pass! : begun(known, full)
    return save({ ...known, pass, nextAt: now() + CLAIM_MS })
  }
  const begun = (known: StateDoc, asked: boolean): PassDoc => {
    const isFull = asked || known.lastFull === null || known.fullAt <= now()
    const back = isFull ? Math.max(0, platformNow() - FULL_BACK_MS) : Math.max(0, known.since - OVERLAP_MS)
    return {
      kind: isFull ? 'full' : 'hourly',
      phase: 'provider',
      startedAt: now(),
      finishedAt: null,
      since: known.lastFull === null ? 0 : back,
      after: null,
      newest: known.since,
      seq: isFull ? 0 : known.seq,
      transactions: 0,
      entries: 0,
      opened: 0,
      settled: 0,
    }
  }

  const run: Passes['run'] = (asked = {}) =>
    (running ??= go(asked).finally(() => {
      running = null
    }))
  const go = async (asked: { now?: boolean; full?: boolean }): Promise<StateDoc | null> => {
    let doc = await begin(asked)
    while (doc?.pass) {
      const stepped: StateDoc = await STEPS[doc.pass.phase](doc, doc.pass)
      doc = await save({ ...stepped, nextAt: stepped.pass ? now() + CLAIM_MS : now() + PASS_EVERY_MS })
    }
    return doc
  }

  type Step = (doc: StateDoc, pass: PassDoc) => Promise<StateDoc>
  const STEPS: Record<PassDoc['phase'], Step> = {
    provider: async (doc, pass) => {
      const { since, after } = pass
      const { data, next } = await call('payment.transactions', { since, limit: PAGE, ...(after && { after }) })
      const opened = await desk.transactions(data)
      return {
        ...doc,
        pass: {
          ...pass,
          after: next,
          phase: next === null ? 'books' : 'provider',
          newest: data.reduce((newest, { createdAt }) => Math.max(newest, createdAt), pass.newest),
          transactions: pass.transactions + data.length,
          opened: pass.opened + opened,
        },
      }
    },
    books: async (doc, pass) => {
      const { data } = await call('ledger.after', { seq: pass.seq })
      const opened = await desk.entries(data)
      return {
        ...doc,
        pass: {
          ...pass,
          seq: data.at(-1)?.seq ?? pass.seq,
          phase: data.length === 0 ? 'open' : 'books',
          entries: pass.entries + data.length,
          opened: pass.opened + opened,
        },
      }
    },
    open: async (doc, pass) => {
      let settled = 0
      for await (const docs of openSuspense(documents)) {
        settled += await desk.again(docs)
        await alarm(docs)
      }
      return { ...doc, pass: { ...pass, phase: 'balances', settled: pass.settled + settled } }
    },
    balances: async (doc, pass) => {
      const balances = await balancesOf(documents, call)
      const unexplained = unexplainedSince(doc.unexplained, balances, { now: now(), graceMs: GRACE_MS })
      for (const [currency, { amount, alarmed }] of Object.entries(unexplained))
        if (alarmed && !doc.unexplained[currency]?.alarmed)
          log.error(`the provider's balance and the books differ by ${amount} ${currency} without a reason`)
      const done = { ...pass, finishedAt: now() }
      return {
        ...doc,
        pass: null,
        since: Math.max(doc.since, pass.newest),
        seq: Math.max(doc.seq, pass.seq),
        last: done,
        ...(pass.kind === 'full' && { lastFull: done, fullAt: now() + FULL_EVERY_MS }),
        balances,
        unexplained,
      }
    },
  }

  /** Said once of each: in the log, on the list, as a number. */
  const alarm = async (docs: readonly SuspenseDoc[]) => {
    for (const doc of docs) {
      const isYoung = doc.reason.startsWith('missing') && doc.openedAt + GRACE_MS > now()
      if (doc.alarmedAt !== null || isYoung) continue
      const next = { ...doc, version: doc.version + 1, alarmedAt: now() }
      if ((await documents.replace(suspense, next, doc.version)).ok)
        log.error(`in suspense: ${doc.reason}`, {
          entry: doc.entry,
          transaction: doc.transaction,
          ours: doc.ours,
          theirs: doc.theirs,
        })
    }
  }

  return { run, state }
}
