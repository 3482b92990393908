// The index made anew from the gigs while it goes on answering: filled beside, put in place, compared once more. One at a
// time; whoever started it asks how far it is.
import type { Static } from 'typebox'
import type { Engine } from '../../adapters/engine/index.ts'
import type { Call } from '../../mixins/node.ts'
import type { Rebuilding } from './contract.ts'
import type { Repaired } from './repair.ts'

const PAGE = 500

type Progress = Static<typeof Rebuilding>
export type Rebuilder = {
  /** Starts it unless it runs. */
  start(): Progress
  progress(): Progress
  stop(): Promise<void>
}
/** `repair` compares what was said meanwhile, by whoever did not know of the second index. */
type Means = { engine: Engine; call: Call; repair: () => Promise<Repaired> }

export const rebuilder = ({ engine, call, repair }: Means): Rebuilder => {
  let now: Progress = { state: 'never', gigs: 0, of: 0, seconds: 0, shared: engine.shared, problem: null }
  let running: Promise<void> | null = null
  let stopped = false
  let startedAt = 0
  const seconds = () => Math.round((performance.now() - startedAt) / 100) / 10

  const run = async () => {
    now = { ...now, of: (await engine.stats()).gigs }
    await engine.rebuild(async (next) => {
      for (let after: string | null = null, isFirst = true; isFirst || after !== null; isFirst = false) {
        if (stopped) throw new Error('this node is stopping')
        const page: { data: Parameters<typeof next.upsert>[0]; next: string | null } = await call('gig.indexed', {
          limit: PAGE,
          ...(after !== null && { after }),
        })
        await next.upsert(page.data)
        const gigs = now.gigs + page.data.length
        now = { ...now, gigs, of: Math.max(gigs, now.of) }
        after = page.next
      }
    })
    await repair()
  }

  return {
    start: () => {
      if (running) return { ...now, seconds: seconds() }
      startedAt = performance.now()
      now = { ...now, state: 'running', gigs: 0, of: 0, seconds: 0, problem: null }
      running = run()
        .then(
          () => (now = { ...now, state: 'done', of: now.gigs, seconds: seconds() }),
          (error: unknown) => {
            const problem = error instanceof Error ? error.message : String(error)
            now = { ...now, state: 'failed', seconds: seconds(), problem }
          },
        )
        .then(() => {
          running = null
        })
      return now
    },
    progress: () => (running ? { ...now, seconds: seconds() } : now),
    stop: async () => {
      stopped = true
      await running
    },
  }
}
