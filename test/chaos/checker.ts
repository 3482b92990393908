// Judges a history against the promises of the contract: what was acknowledged is stored, once, under one number; numbers
// count 1, 2, 3 … ; everybody was told the same at each number, in an order that time does not contradict; and a device that
// follows the protocol has all of it. Pure.
import type { History, Send, Stored, View } from './history.ts'

/** How many of each came out. All but the first three must be 0. */
export type Counts = {
  acknowledged: number
  /** Never answered, and found in the store: fine, if found once. */
  unknownStored: number
  /** Never answered, and not in the store: fine. */
  unknownAbsent: number
  /** Acknowledged or told to somebody, and not in the store. */
  lost: number
  /** One clientId stored or answered as two messages; two messages under one number. */
  doubled: number
  /** Told differently at one number, or numbered against the order in which they were asked and answered. */
  reordered: number
  /** A device does not have a number, or the store has none. */
  gaps: number
  /** Stored with other content than was sent. */
  altered: number
}
export type Verdict = { counts: Counts; problems: string[] }
export const BAD = ['lost', 'doubled', 'reordered', 'gaps', 'altered'] as const satisfies (keyof Counts)[]

export const isClean = ({ counts }: Verdict): boolean => BAD.every((what) => counts[what] === 0)

export const judge = (history: History): Verdict => {
  const problems: string[] = []
  const counts: Counts = {
    acknowledged: 0,
    unknownStored: 0,
    unknownAbsent: 0,
    lost: 0,
    doubled: 0,
    reordered: 0,
    gaps: 0,
    altered: 0,
  }
  const found = (what: (typeof BAD)[number], said: string) => {
    counts[what] += 1
    problems.push(`${what}: ${said}`)
  }
  const shelf = shelve(history.stored)
  judgeNumbers(shelf, found)
  for (const send of history.sends) judgeSend(send, shelf, counts, found)
  judgeTime(history.sends, shelf, found)
  for (const view of history.views) judgeView(view, shelf, found)
  return { counts, problems }
}

type Found = (what: (typeof BAD)[number], said: string) => void
/** The store by name and by number; a list where there should be one. */
type Shelf = { byName: Map<string, Stored[]>; byNumber: Map<string, Map<number, Stored[]>> }

const nameOf = ({ conversation, sender, clientId }: Pick<Stored, 'conversation' | 'sender' | 'clientId'>) =>
  `${conversation} ${sender} ${clientId}`

const shelve = (stored: readonly Stored[]): Shelf => {
  const shelf: Shelf = { byName: new Map(), byNumber: new Map() }
  for (const one of stored) {
    addTo(shelf.byName, nameOf(one), one)
    const numbers = shelf.byNumber.get(one.conversation) ?? new Map<number, Stored[]>()
    shelf.byNumber.set(one.conversation, numbers)
    addTo(numbers, one.seq, one)
  }
  return shelf
}

const addTo = <K, V>(map: Map<K, V[]>, key: K, value: V): void => {
  const known = map.get(key)
  if (known) known.push(value)
  else map.set(key, [value])
}

const judgeNumbers = ({ byName, byNumber }: Shelf, found: Found): void => {
  for (const [name, all] of byName)
    if (all.length > 1)
      found('doubled', `${name} is stored ${all.length} times, at ${all.map(({ seq }) => seq).join(', ')}`)
  for (const [conversation, numbers] of byNumber) {
    const last = Math.max(...numbers.keys())
    for (let seq = 1; seq <= last; seq++) {
      const at = numbers.get(seq)?.length ?? 0
      if (at === 0) found('gaps', `${conversation} has no message ${seq} of ${last}`)
      if (at > 1) found('doubled', `${conversation} has ${at} messages ${seq}`)
    }
  }
}

const judgeSend = (send: Send, { byName }: Shelf, counts: Counts, found: Found): void => {
  const name = nameOf(send)
  const stored = byName.get(name) ?? []
  const [first] = send.answers
  if (!first) counts[stored.length > 0 ? 'unknownStored' : 'unknownAbsent'] += 1
  else counts.acknowledged += 1
  if (first && stored.length === 0) found('lost', `${name} was acknowledged as ${first.seq} and is not stored`)
  for (const { print } of stored) if (print !== send.print) found('altered', `${name} was stored as ${print}`)
  for (const answer of send.answers) {
    if (answer.id !== first!.id || answer.seq !== first!.seq)
      found('doubled', `${name} was answered as ${first!.id} at ${first!.seq} and as ${answer.id} at ${answer.seq}`)
    else if (stored.length > 0 && !stored.some(({ id, seq }) => id === answer.id && seq === answer.seq))
      found('reordered', `${name} was answered at ${answer.seq} and is stored at ${stored[0]!.seq}`)
  }
}

/** What was asked after something else had been answered has a higher number. */
const judgeTime = (sends: readonly Send[], { byName }: Shelf, found: Found): void => {
  type Moment = { at: number; send: Send; seq: number; isAnswer: boolean }
  const moments: Moment[] = sends.flatMap((send) => {
    const seq = byName.get(nameOf(send))?.[0]?.seq
    if (seq === undefined) return []
    const asked = { at: send.askedAt, send, seq, isAnswer: false }
    return send.answeredAt === null ? [asked] : [asked, { at: send.answeredAt, send, seq, isAnswer: true }]
  })
  const highest = new Map<string, Moment>()
  for (const moment of moments.sort((one, other) => one.at - other.at)) {
    const { conversation, clientId } = moment.send
    const before = highest.get(conversation)
    if (moment.isAnswer) {
      if (!before || before.seq < moment.seq) highest.set(conversation, moment)
    } else if (before && before.seq >= moment.seq)
      found(
        'reordered',
        `${conversation}: ${clientId} is ${moment.seq}, though ${before.send.clientId} had been answered as ${before.seq}`,
      )
  }
}

const judgeView = ({ device, conversation, told }: View, { byNumber }: Shelf, found: Found): void => {
  const numbers = byNumber.get(conversation) ?? new Map<number, Stored[]>()
  const who = `${device} in ${conversation}`
  const missing = [...numbers.keys()].filter((seq) => !told.has(seq)).sort((one, other) => one - other)
  for (const seq of missing) found('gaps', `${who} was never told of ${seq} of ${Math.max(...numbers.keys())}`)
  for (const [seq, all] of told) {
    const stored = numbers.get(seq)
    if (!stored) {
      found('lost', `${who} was told of ${seq}, which is not stored`)
      continue
    }
    const strange = all.find(({ id, print }) => !stored.some((one) => one.id === id && one.print === print))
    if (strange) found('reordered', `${who} was told at ${seq} of ${strange.id}, where ${stored[0]!.id} is stored`)
    else if (new Set(all.map(({ id }) => id)).size > 1) found('doubled', `${who} was told of two messages ${seq}`)
  }
}
