// What happened in a run, as the clients saw it, and what the store says afterwards. Plain data: the checker needs no more.
import { hash } from '../../mixins/placement.ts'

/** A message as it was told by an answer, an event or a list. `print` stands for everything in it that must not change. */
export type Told = { id: string; seq: number; print: string }

/** One message that a device wanted stored, however often it had to ask. `…At` are places in the one order of events. */
export type Send = {
  conversation: string
  sender: string
  clientId: string
  /** What it must be like in the store. */
  print: string
  askedAt: number
  /** When its first answer came; null: none did, so that nobody knows. */
  answeredAt: number | null
  /** Every answer: the same clientId may have been sent again. */
  answers: Told[]
}

/** What one device knows of one conversation at the end: all that it was told at each number. */
export type View = { device: string; conversation: string; told: ReadonlyMap<number, readonly Told[]> }

/** A message in the store, read over HTTP. */
export type Stored = Told & { conversation: string; sender: string; clientId: string }

export type History = { sends: readonly Send[]; views: readonly View[]; stored: readonly Stored[] }

/** The fingerprint of a message, short: who said what under which name. */
export const printOf = (sender: string, clientId: string, text: string): string =>
  `${sender} ${clientId} ${text.length}:${hash(text)}`
