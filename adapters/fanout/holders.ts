// What a sender knows of the gateways: which of them are there, and whom each holds. Where it doesn't know, it says so by
// naming more gateways than needed, never fewer: a gateway whose list is missing or out of step gets every frame.

import type { Announcement } from './announcement.ts'

/** Users known over all gateways. A gateway whose list doesn't fit any more gets every frame. */
export const USERS_KNOWN_MAX = 1_000_000
export const GATEWAYS_KNOWN_MAX = 1_000
/** A gateway silent for that long is taken for gone. Generous: a frame for a dead one goes nowhere and costs little. */
export const GATEWAY_SILENT_MS_MAX = 60_000
/** Least time between two questions for one gateway's list. */
const ASK_MS_MIN = 500

export type Targets = Map<string, readonly string[]>

export type Holders = {
  hear(announcement: Announcement): void
  /** The gateways a frame for these users has to go to, and whom it concerns there. Null: it must go to every gateway. */
  targets(userIds: readonly string[]): Targets | null
  /** For so long it is not certain that every gateway is known. */
  unsettle(ms: number): void
  /** Does a gateway whose list is known hold this user? */
  holds(userId: string): boolean
  forgetSilent(): void
  usersKnown(): number
}

export type HoldersOptions = {
  now: () => number
  askForList: (node: string) => void
  /** Hears of users who are held now or no more, as far as lists are known; some of them may have been before. */
  changed?: (userIds: Iterable<string>) => void
  usersMax?: number
}

type Gateway = {
  epoch: string
  version: number
  /** Null: not known. */
  userIds: Set<string> | null
  /** What was known before it was not: who is missing from the next list has gone. */
  before: Set<string> | null
  /** The list being received. */
  parts: { version: number; next: number; userIds: Set<string> } | null
  heardAt: number
  askedAt: number
}

export const holders = (options: HoldersOptions): Holders => {
  const { now, askForList, changed = () => {}, usersMax = USERS_KNOWN_MAX } = options
  const gateways = new Map<string, Gateway>()
  let settledAt = 0

  const usersKnown = (): number => {
    let known = 0
    for (const gateway of gateways.values()) known += gateway.userIds?.size ?? 0
    return known
  }

  const hear = (said: Announcement): void => {
    const known = gateways.get(said.node)
    if (said.kind === 'gone') {
      if (known?.epoch === said.epoch) forget(said.node, known)
      return
    }
    const gateway = known?.epoch === said.epoch ? known : fresh(said.epoch)
    if (gateway !== known) {
      if (known) forget(said.node, known)
      // beyond the bound there is no saying who is there: everything goes to everyone
      if (!known && gateways.size >= GATEWAYS_KNOWN_MAX) return void (settledAt = Infinity)
      gateways.set(said.node, gateway)
    }
    gateway.heardAt = now()
    if (said.kind === 'list') hearPart(gateway, said)
    else if (said.kind === 'change') hearChange(gateway, said)
    else hearBeat(gateway, said)
  }

  const forget = (node: string, { userIds, before }: Gateway): void => {
    gateways.delete(node)
    changed(userIds ?? before ?? [])
  }

  const hearBeat = (gateway: Gateway, said: Announcement & { kind: 'beat' }): void => {
    if (gateway.userIds && gateway.version === said.version) return
    lose(gateway)
    if (usersKnown() + said.count <= usersMax) ask(said.node, gateway)
  }

  const hearChange = (gateway: Gateway, said: Announcement & { kind: 'change' }): void => {
    gateway.parts = null
    if (!gateway.userIds) return
    if (said.version !== gateway.version + 1 || usersKnown() + said.on.length > usersMax) {
      lose(gateway)
      return ask(said.node, gateway)
    }
    gateway.version = said.version
    for (const userId of said.on) gateway.userIds.add(userId)
    for (const userId of said.off) gateway.userIds.delete(userId)
    changed(said.on)
    changed(said.off)
  }

  const hearPart = (gateway: Gateway, said: Announcement & { kind: 'list' }): void => {
    if (said.part === 0) gateway.parts = { version: said.version, next: 0, userIds: new Set() }
    const parts = gateway.parts
    if (!parts || parts.version !== said.version || parts.next !== said.part) return
    for (const userId of said.userIds) parts.userIds.add(userId)
    parts.next += 1
    if (parts.next < said.parts) return
    gateway.parts = null
    gateway.version = said.version
    lose(gateway)
    if (usersKnown() + parts.userIds.size > usersMax) return
    gateway.userIds = parts.userIds
    changed(parts.userIds)
    if (gateway.before) changed(gateway.before)
    gateway.before = null
  }

  const lose = (gateway: Gateway): void => {
    gateway.before = gateway.userIds ?? gateway.before
    gateway.userIds = null
  }

  const ask = (node: string, gateway: Gateway): void => {
    if (now() - gateway.askedAt < ASK_MS_MIN) return
    gateway.askedAt = now()
    askForList(node)
  }

  const fresh = (epoch: string): Gateway => ({
    epoch,
    version: -1,
    userIds: null,
    before: null,
    parts: null,
    heardAt: now(),
    askedAt: -Infinity,
  })

  return {
    hear,
    targets: (userIds) => {
      if (now() < settledAt) return null
      const targets: Targets = new Map()
      for (const [node, gateway] of gateways) {
        const held = gateway.userIds
        const concerned = held === null ? userIds : userIds.filter((userId) => held.has(userId))
        if (concerned.length > 0) targets.set(node, concerned)
      }
      return targets
    },
    holds: (userId) => {
      for (const { userIds } of gateways.values()) if (userIds?.has(userId)) return true
      return false
    },
    unsettle: (ms) => {
      settledAt = Math.max(settledAt, now() + ms)
    },
    forgetSilent: () => {
      for (const [node, gateway] of gateways) if (now() - gateway.heardAt > GATEWAY_SILENT_MS_MAX) forget(node, gateway)
    },
    usersKnown,
  }
}
