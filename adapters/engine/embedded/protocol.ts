// What the engine's front and its worker say to each other. Several requests or answers travel in one message.
import type { Engine, EngineError, IndexedGig, SearchQuery, SearchResult, Suggestion } from '../index.ts'
import type { SettingsSent } from './settings.ts'

export type Calls = {
  upsert: { asked: readonly IndexedGig[]; answer: null }
  remove: { asked: readonly { id: string; version: number }[]; answer: null }
  search: { asked: SearchQuery; answer: SearchResult }
  suggest: { asked: { prefix: string; limit: number }; answer: Suggestion[] }
  configure: { asked: SettingsSent; answer: null }
  flush: { asked: null; answer: null }
  versions: { asked: { after?: string | null; limit: number }; answer: Awaited<ReturnType<Engine['versions']>> }
  stats: { asked: null; answer: { gigs: number; bytes: number; damaged: boolean } }
  clear: { asked: null; answer: null }
  /** The index beside: made, filled, put in place or given up. */
  beginNext: { asked: null; answer: null }
  upsertNext: { asked: readonly IndexedGig[]; answer: null }
  removeNext: { asked: readonly { id: string; version: number }[]; answer: null }
  versionsNext: { asked: { after?: string | null; limit: number }; answer: Awaited<ReturnType<Engine['versions']>> }
  takeNext: { asked: null; answer: null }
  dropNext: { asked: null; answer: null }
}
export type CallName = keyof Calls
export type Request = { [K in CallName]: { number: number; name: K; asked: Calls[K]['asked'] } }[CallName]

export type Failure = { code: EngineError['code']; message: string }
export type Answer = { number: number; answer: Calls[CallName]['answer'] } | { number: number; failure: Failure }

export type FromWorker = { ready: true } | { answers: Answer[] } | { warning: string }

export type WorkerOptions = { dir: string; settings: SettingsSent }
