// The worker thread: holds the collection, answers in the order asked, saves and merges when it is quiet.
import { parentPort, workerData } from 'node:worker_threads'
import { EngineError, type IndexedGig } from '../index.ts'
import {
  byteCount,
  clearCollection,
  livingCount,
  removeGigs,
  takeFrom,
  upsertGigs,
  versionsPage,
  type Collection,
} from './collection.ts'
import { createScratch } from './match.ts'
import { createMerger } from './merging.ts'
import { openNext, type Next } from './next.ts'
import type { Answer, CallName, Calls, Failure, FromWorker, Request, WorkerOptions } from './protocol.ts'
import { createSaver } from './saver.ts'
import { searchGigs } from './search.ts'
import { readSettings } from './settings.ts'
import { loadCollection } from './store.ts'
import { suggestTexts } from './suggest.ts'

/** Answers are sent at the latest after this much work, so that the first of many need not wait for the last. */
const ANSWERS_HELD_MS = 2
const MERGE_SLICE_MS = 4
/** Gigs that are made one segment at once. */
const JOINED_GIGS_MAX = 1024

const port = parentPort!
const { dir, settings: sent } = workerData as WorkerOptions
const tell = (message: FromWorker) => port.postMessage(message)
const warn = (warning: string) => tell({ warning })

const collection = await loadCollection(dir, warn)
let settings = readSettings(sent)
const scratches = createScratch()
const merger = createMerger(collection)
const saver = createSaver({ dir, collection, merger, warn })
let next: Next | null = null

type Handlers = { [K in CallName]: (asked: Calls[K]['asked']) => Calls[K]['answer'] | Promise<Calls[K]['answer']> }

const handlers: Handlers = {
  upsert: changing((gigs) => {
    upsertGigs(collection, gigs)
    next?.change((beside) => upsertGigs(beside, gigs))
  }),
  remove: changing((gigs) => {
    removeGigs(collection, gigs)
    next?.change((beside) => removeGigs(beside, gigs))
  }),
  clear: changing(() => clearCollection(collection)),
  beginNext: () => {
    if (next) throw new EngineError('engine_busy', 'the index is being made anew')
    next = openNext(collection)
    return null
  },
  upsertNext: besides((beside, gigs) => upsertGigs(beside, gigs)),
  removeNext: besides((beside, gigs) => removeGigs(beside, gigs)),
  versionsNext: (page) => versionsPage(nextOrThrow().collection, page),
  takeNext: changing(() => {
    takeFrom(collection, nextOrThrow().collection)
    next = null
  }),
  dropNext: () => {
    next = null
    return null
  },
  search: ({ trial, ...query }) =>
    searchGigs({ collection, settings: trial ? readSettings(trial) : settings, scratches, now: Date.now() }, query),
  suggest: ({ prefix, limit }) => suggestTexts(collection.parts, prefix, limit),
  versions: (page) => versionsPage(collection, page),
  stats: () => ({ gigs: livingCount(collection), bytes: byteCount(collection), damaged: collection.damaged }),
  configure: (changed) => {
    settings = readSettings(changed)
    return null
  },
  flush: () => saver.flush(),
}

function nextOrThrow(): Next {
  if (!next) throw new EngineError('engine_down', 'the worker that made the index anew is gone')
  return next
}

function besides<T>(change: (beside: Collection, asked: T) => void): (asked: T) => null {
  return (asked) => {
    nextOrThrow().change((beside) => change(beside, asked))
    mergeSoon()
    return null
  }
}

function changing<T>(change: (asked: T) => void): (asked: T) => null {
  return (asked) => {
    change(asked)
    merger.settle()
    saver.note()
    mergeSoon()
    return null
  }
}

let answers: Answer[] = []
let heldSince = 0

let waiting: Request[] = []

port.on('message', (requests: Request[]) => {
  if (waiting.length === 0) setImmediate(handleWaiting)
  waiting.push(...requests)
})

/** All that came in one turn is handled together, so that many small upserts make one segment. */
function handleWaiting() {
  const requests = waiting
  waiting = []
  for (const request of joinUpserts(requests)) handle(request)
  send()
}

/** Neighbouring upserts are one: a segment is made of them once. */
function joinUpserts(requests: Request[]): (Request & { also?: number[] })[] {
  const out: (Request & { also?: number[] })[] = []
  for (const request of requests) {
    const last = out.at(-1)
    const joins = request.name === 'upsert' && last?.name === 'upsert'
    if (joins && last.asked.length + request.asked.length <= JOINED_GIGS_MAX) {
      last.asked = [...last.asked, ...request.asked] satisfies IndexedGig[]
      last.also = [...(last.also ?? []), request.number]
    } else out.push(request)
  }
  return out
}

function handle({ number, name, asked, also = [] }: Request & { also?: number[] }) {
  try {
    const answer = (handlers[name] as (asked: unknown) => unknown)(asked)
    if (answer instanceof Promise) {
      answer
        .then(
          (late) => reply(number, late),
          (error) => refuse(number, error),
        )
        .then(send)
    } else for (const each of [number, ...also]) reply(each, answer)
  } catch (error) {
    for (const each of [number, ...also]) refuse(each, error)
  }
}

function reply(number: number, answer: unknown) {
  hold({ number, answer } as Answer)
}

function refuse(number: number, error: unknown) {
  hold({ number, failure: failureOf(error) })
}

function hold(answer: Answer) {
  if (answers.length === 0) heldSince = performance.now()
  answers.push(answer)
  if (performance.now() - heldSince > ANSWERS_HELD_MS) send()
}

function send() {
  if (answers.length > 0) tell({ answers })
  answers = []
}

function failureOf(error: unknown): Failure {
  if (error instanceof EngineError) return { code: error.code, message: error.message }
  warn(`search engine: ${error instanceof Error ? error.stack : error}`)
  return { code: 'engine_down', message: error instanceof Error ? error.message : String(error) }
}

let merging = false

function mergeSoon() {
  if (merging) return
  merging = true
  setImmediate(mergeSlice)
}

/** A failed merge leaves its sources as they are. */
function mergeSlice() {
  try {
    merging = merger.step(MERGE_SLICE_MS) || (next?.merger.step(MERGE_SLICE_MS) ?? false)
  } catch (error) {
    merging = false
    warn(`search index: not merged: ${error instanceof Error ? error.message : error}`)
  }
  if (merging) setImmediate(mergeSlice)
  else saver.note()
}

mergeSoon()
tell({ ready: true })
