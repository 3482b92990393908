// The settings on their way to this node's engine: at the start, when they were changed, and when a notice may have been
// missed. The prepared answers of all nodes end once the engine goes by them.
import type { Engine, Tuning } from '../../adapters/engine/index.ts'
import type { Fanout } from '../../adapters/fanout/index.ts'
import type { Actor } from '../../mixins/actor.ts'
import type { Here } from '../../mixins/service.ts'
import type { Tunable } from './contract.ts'
import { SETTINGS, tunableOf, type SettingsDoc } from './settings.ts'
import { SYNONYMS } from './synonyms.ts'

const NOTICE = 'search.settings'
const RETRY_MS = 1000

export type TuningParts = { here: Here; engine: Engine; fanout: Fanout; book: Actor<SettingsDoc> }
export type Tuned = {
  /** Takes up what is stored now. */
  takeUp(): Promise<void>
  /** Tells every node to. */
  tellNodes(): void
  start(): Promise<void>
  stop(): void
}

export const tuner = ({ here, engine, fanout, book }: TuningParts): Tuned => {
  let taking: Promise<void> = Promise.resolve()
  let stopped = false
  let retry: NodeJS.Timeout | undefined

  const takeUpNow = async (): Promise<void> => {
    const doc = await book.read(SETTINGS)
    const { synonyms, ranking, pins } = tuningOf(tunableOf(doc))
    await engine.setSynonyms(synonyms)
    await engine.setRanking(ranking)
    await engine.setPins(pins)
  }
  /** One after the other, so that the latest stored is the last taken up. */
  const takeUp = (): Promise<void> => (taking = taking.catch(() => undefined).then(takeUpNow))
  const takeUpInTheEnd = (): void => {
    takeUp().then(
      () => fanout.toNodes('hot.changed', { tags: ['search', 'tuning'] }),
      (error: unknown) => {
        here.log.warn('the search settings are taken up later:', error)
        if (!stopped) retry = setTimeout(takeUpInTheEnd, RETRY_MS).unref()
      },
    )
  }
  const stopListening = [fanout.onNodes(NOTICE, takeUpInTheEnd), fanout.onMissed(takeUpInTheEnd)]
  return {
    takeUp,
    tellNodes: () => fanout.toNodes(NOTICE, {}),
    start: takeUp,
    stop: () => {
      stopped = true
      clearTimeout(retry)
      for (const stop of stopListening) stop()
    },
  }
}

/** What the market comes with, and what an admin has added, in the engine's words. */
export const tuningOf = ({ synonyms, pins, ranking }: Tunable): Tuning => ({
  synonyms: [...SYNONYMS, ...synonyms],
  pins: pins.map(({ q, gigs }) => ({ q, ids: gigs })),
  ranking,
})
