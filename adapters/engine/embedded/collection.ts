// What the engine holds: parts, each a segment and which of its gigs are gone. At most one living copy of a gig exists.
import type { IndexedGig } from '../index.ts'
import type { Shelves } from './browse.ts'
import { buildSegment } from './build.ts'
import { uncount, type Living } from './living.ts'
import { NAMES_MAX, noNames, type Names } from './names.ts'
import type { Segment } from './segment.ts'
import type { StemMemo } from './stems.ts'
import { compareTo, find, lowerBound, stringAt } from './table.ts'

export type Part = {
  segment: Segment
  /** Per gig, 1 when it was replaced or removed. */
  dead: Uint8Array
  living: number
  /** Its file, once it is on disk. */
  file: SavedFile | null
  /** Once somebody looked around in it. */
  shelves: Shelves | null
  /** Once somebody typed something. */
  counts: Living | null
}
export type SavedFile = { name: string; bytes: number; sha256: string }

export type Collection = {
  parts: Part[]
  /** Versions at which gigs were removed, oldest removal first: what arrives late does not bring them back. */
  removed: Map<string, number>
  /** Counts changes, so that saving knows whether there is something new. */
  revision: number
  /** Whether something that was on disk could not be read. */
  damaged: boolean
  stems: StemMemo
  /** Of the facets' values. */
  names: Names
}

/** Removals remembered against late deliveries; the oldest are forgotten first. */
export const REMOVALS_MAX = 20_000
export const VERSIONS_PAGE_MAX = 1000

export const emptyCollection = (): Collection => ({
  parts: [],
  removed: new Map(),
  revision: 0,
  damaged: false,
  stems: new Map(),
  names: noNames(),
})

export function partOf(segment: Segment, file: SavedFile | null): Part {
  return {
    segment,
    dead: new Uint8Array(new SharedArrayBuffer(segment.gigs)),
    living: segment.gigs,
    file,
    shelves: null,
    counts: null,
  }
}

export function upsertGigs(collection: Collection, gigs: readonly IndexedGig[]) {
  const newest = new Map<string, IndexedGig>()
  for (const gig of gigs) {
    const known = newest.get(gig.id)
    if (!known || known.version < gig.version) newest.set(gig.id, gig)
  }
  const accepted: IndexedGig[] = []
  for (const gig of newest.values()) {
    const place = locate(collection, gig.id)
    if (place && versionAt(place) >= gig.version) continue
    if ((collection.removed.get(gig.id) ?? -Infinity) >= gig.version) continue
    accepted.push(gig)
    collection.removed.delete(gig.id)
    if (place) bury(place)
  }
  if (accepted.length === 0) return
  collection.parts.push(partOf(buildSegment(accepted, collection.stems), null))
  collection.revision += 1
}

export function removeGigs(collection: Collection, gigs: readonly { id: string; version: number }[]) {
  for (const { id, version } of gigs) {
    const place = locate(collection, id)
    if (place && versionAt(place) > version) continue
    if (place) bury(place)
    const known = collection.removed.get(id) ?? version
    collection.removed.delete(id)
    collection.removed.set(id, Math.max(known, version))
    collection.revision += 1
  }
  for (const id of collection.removed.keys()) {
    if (collection.removed.size <= REMOVALS_MAX) break
    collection.removed.delete(id)
  }
}

export function clearCollection(collection: Collection) {
  collection.parts = []
  collection.removed.clear()
  collection.damaged = false
  collection.revision += 1
}

/** Puts what the other holds in the place of what this one held. */
export function takeFrom(collection: Collection, other: Collection) {
  collection.parts = other.parts
  collection.removed = other.removed
  collection.damaged = false
  collection.revision += 1
}

/** The numbering of facets' values, begun anew when too many of them are gone. */
export function namesOf(collection: Collection): Names {
  if (collection.names.all.length > NAMES_MAX) collection.names = noNames()
  return collection.names
}

export function livingCount(collection: Collection): number {
  return collection.parts.reduce((sum, part) => sum + part.living, 0)
}

export function byteCount(collection: Collection): number {
  return collection.parts.reduce((sum, part) => sum + part.segment.buffer.byteLength + part.dead.length, 0)
}

export function versionsPage(collection: Collection, page: { after?: string | null; limit: number }) {
  const limit = Math.min(VERSIONS_PAGE_MAX, Math.max(1, Math.trunc(page.limit) || 1))
  const found: { id: string; version: number }[] = []
  for (const part of collection.parts) found.push(...versionsAfter(part, page.after ?? null, limit + 1))
  found.sort((left, right) => (left.id < right.id ? -1 : 1))
  const versions = found.slice(0, limit)
  return { versions, next: found.length > limit ? versions.at(-1)!.id : null }
}

function versionsAfter(part: Part, after: string | null, limit: number) {
  const { ids, columns, gigs } = part.segment
  const found: { id: string; version: number }[] = []
  let gig = after === null ? 0 : lowerBound(ids, after)
  if (after !== null && gig < gigs && compareTo(ids, gig, after) === 0) gig += 1
  for (; gig < gigs && found.length < limit; gig++) {
    if (part.dead[gig] === 0) found.push({ id: stringAt(ids, gig), version: columns.version[gig]! })
  }
  return found
}

type Place = { part: Part; gig: number }

function locate(collection: Collection, id: string): Place | null {
  for (const part of collection.parts) {
    const gig = find(part.segment.ids, id)
    if (gig >= 0 && part.dead[gig] === 0) return { part, gig }
  }
  return null
}

const versionAt = ({ part, gig }: Place) => part.segment.columns.version[gig]!

function bury({ part, gig }: Place) {
  part.dead[gig] = 1
  part.living -= 1
  uncount(part, gig)
  if (part.shelves) part.shelves.living[part.segment.columns.category[gig]!]! -= 1
}
