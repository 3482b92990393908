// What was asked here since it was last told: counted in memory, told to discovery every few seconds. Pages made from a
// prepared answer are not asked again, so this counts questions, not views.
import { TEXTS_TOLD_MAX, type Told } from '../discovery/contract.ts'
import { repeated } from '../../mixins/repeated.ts'
import type { Here } from '../../mixins/service.ts'

export const TELL_EVERY_MS = 5000
/** Texts counted between two tellings; others are not counted until then. */
export const TEXTS_MAX = 2000

export type Outcome = 'found' | 'nothing' | 'loosened'
export type Asking = { count(text: string, outcome: Outcome): void; start(): void; stop(): Promise<void> }

export const asking = (here: Here): Asking => {
  let texts = new Map<string, Omit<Told, 'text'>>()

  const tell = async (): Promise<void> => {
    if (texts.size === 0 || here.placement.nodes('discovery').length === 0) return
    const told = [...texts].map(([text, counts]) => ({ text, ...counts }))
    texts = new Map()
    for (let at = 0; at < told.length; at += TEXTS_TOLD_MAX)
      await here.call('discovery.asked', { texts: told.slice(at, at + TEXTS_TOLD_MAX) })
  }
  const tellQuietly = () => tell().catch((error: unknown) => here.log.debug('what was asked is not counted:', error))
  const telling = repeated(TELL_EVERY_MS, here.log, 'telling what was asked', tellQuietly)

  return {
    count: (text, outcome) => {
      const before = texts.get(text)
      if (!before && texts.size >= TEXTS_MAX) return
      const { asked, nothing, loosened } = before ?? { asked: 0, nothing: 0, loosened: 0 }
      texts.set(text, {
        asked: asked + 1,
        nothing: nothing + (outcome === 'nothing' ? 1 : 0),
        loosened: loosened + (outcome === 'loosened' ? 1 : 0),
      })
    },
    start: telling.start,
    stop: async () => {
      await telling.stop()
      await tellQuietly()
    },
  }
}
