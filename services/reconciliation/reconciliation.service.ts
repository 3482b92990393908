// Reconciliation: reads the provider's statement and the books beside each other, every hour what is new and every day the
// last weeks again. Machine time decides when: what moved may be read at any time, and reading it twice changes nothing.
import { opsOf } from '../../mixins/ops.ts'
import { repeated } from '../../mixins/repeated.ts'
import { service } from '../../mixins/service.ts'
import { refuse } from '../errors.ts'
import { iso, LIMIT_DEFAULT } from '../shapes.ts'
import { reconciliation as contract, type Report } from './contract.ts'
import { openDesk } from './desk.ts'
import { gauges } from './gauges.ts'
import { openPasses } from './pass.ts'
import { lines, publicLine, publicPass, publicSuspense, states, suspense, type StateDoc } from './store.ts'

/** How often a node looks whether a pass is due, and how things stand. */
const LOOK_MS = 30_000
/** How long the answer to a started pass waits for it. */
const RUN_WAIT_MS = 8000

export default service(contract, async (here) => {
  const documents = await here.open('documents')
  await documents.declare([lines, suspense, states] as never)
  const { call, log } = here
  const desk = openDesk({
    documents,
    call,
    idOf: (about) => here.newId('sus', { id: about, at: 0 }),
    now: Date.now,
  })
  const passes = openPasses({ documents, call, desk, log, now: Date.now, platformNow: here.clock.now })
  const shown = gauges(opsOf(here.broker).registry)

  const standing = async (): Promise<Report['suspense'] & { reasons: Record<string, number> }> => {
    const { docs } = await documents.find(suspense, { index: 'byOpen', limit: 1000 })
    const open = await documents.count(suspense, { index: 'byOpen' })
    const reasons: Record<string, number> = {}
    for (const { reason, alarmedAt } of docs) if (alarmedAt !== null) reasons[reason] = (reasons[reason] ?? 0) + 1
    return {
      open,
      alarmed: docs.filter(({ alarmedAt }) => alarmedAt !== null).length,
      ...(docs[0] && { oldestAt: iso(docs[0].openedAt) }),
      reasons,
    }
  }
  const reportOf = async ({ pass, last, lastFull, balances }: StateDoc): Promise<Report> => {
    const { reasons: _, ...inSuspense } = await standing()
    return {
      ...(pass && { running: publicPass(pass) }),
      ...(last && { last: publicPass(last) }),
      ...(lastFull && { lastFull: publicPass(lastFull) }),
      suspense: inSuspense,
      balances,
    }
  }

  const looking = repeated(LOOK_MS, log, 'reconciling with the provider', async () => {
    const { reasons } = await standing()
    const state = await passes.state()
    shown.show(state, reasons)
    // Where no money has moved yet there is nothing to compare, and no client of the provider is needed.
    const isUntouched = state.last === null && (await call('ledger.after', { seq: 0 })).data.length === 0
    if (!isUntouched) await passes.run()
  })

  return {
    actions: {
      report: async () => reportOf(await passes.state()),
      run: async ({ params: { full = false } }) => {
        const done = passes.run({ now: true, full })
        await Promise.race([done, new Promise((resolve) => setTimeout(resolve, RUN_WAIT_MS).unref())])
        done.catch((error: unknown) => log.warn('reconciling with the provider:', error))
        return reportOf(await passes.state())
      },
      suspense: async ({ params: { status = 'open', limit = LIMIT_DEFAULT, cursor } }) => {
        const { docs, next } = await documents.find(suspense, {
          index: status === 'open' ? 'byOpen' : 'bySettled',
          order: status === 'open' ? 'asc' : 'desc',
          limit,
          cursor: cursor ?? null,
        })
        return { data: docs.map(publicSuspense), nextCursor: next }
      },
      explain: async ({ caller, params: { id, note } }) => {
        const doc = await documents.get(suspense, id)
        if (!doc) throw refuse('not_found', 'there is nothing of that name in suspense')
        if (doc.openAt === null) throw refuse('invalid_transition', 'it is not in suspense any more')
        const now = Date.now()
        const next = { ...doc, version: doc.version + 1, openAt: null, settledAt: now, note, by: caller.id }
        if (!(await documents.replace(suspense, next, doc.version)).ok)
          throw refuse('conflict', 'it has just changed: look again')
        return publicSuspense(next)
      },
      transactions: async ({ params: { entry, limit = LIMIT_DEFAULT, cursor } }) => {
        if (entry !== undefined) {
          const line = await documents.get(lines, entry)
          return { data: line ? [publicLine(line)] : [], nextCursor: null }
        }
        const { docs, next } = await documents.find(lines, {
          index: 'byCreated',
          order: 'desc',
          limit,
          cursor: cursor ?? null,
        })
        return { data: docs.map(publicLine), nextCursor: next }
      },
    },
    started: async () => looking.start(),
    stopped: () => looking.stop(),
  }
})
