// What can be changed without indexing again: synonyms, ranking, pins. Read once when set, looked up by every search.
import { PINNED_MAX, PINS_MAX, RANKING_USUAL, type Pin, type Ranking, type Tuning } from '../index.ts'
import { readSynonyms, type Synonyms } from './synonyms.ts'
import { queryWords } from './text.ts'

/** As they were sent. */
export type SettingsSent = Tuning
export type Settings = {
  synonyms: Synonyms
  ranking: Ranking
  /** By the query's words. */ pins: ReadonlyMap<string, readonly string[]>
}

export const settingsUsual = (): SettingsSent => ({ synonyms: [], ranking: RANKING_USUAL, pins: [] })

export const readSettings = ({ synonyms, ranking, pins }: SettingsSent): Settings => ({
  synonyms: readSynonyms(synonyms),
  ranking: readRanking(ranking),
  pins: readPins(pins),
})

export const readRanking = ({ quality, freshness, freshnessDays }: Ranking): Ranking => ({
  quality: share(quality),
  freshness: share(freshness),
  freshnessDays: Math.max(1, finite(freshnessDays)),
})

export const readPins = (pins: readonly Pin[]): ReadonlyMap<string, readonly string[]> =>
  new Map(pins.slice(0, PINS_MAX).map(({ q, ids }) => [pinKey(q), [...new Set(ids)].slice(0, PINNED_MAX)]))

/** Texts of the same words, whatever their case and accents, have the same pins. */
export const pinKey = (q: string): string => queryWords(q).join(' ')

const finite = (value: number) => (Number.isFinite(value) ? value : 0)
const share = (value: number) => Math.min(1, Math.max(0, finite(value)))
