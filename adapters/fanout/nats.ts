// Fan-out over NATS core subjects. A frame goes to the gateways that hold someone it concerns, once each, on one subject per
// gateway; what this node itself holds is served by a plain call. One sender's frames to one user arrive in their order.

import { createHash, randomUUID } from 'node:crypto'
import type { AdapterContext } from '../index.ts'
import { type Announcement, announcer } from './announcement.ts'
import { attachments } from './attachments.ts'
import { holders } from './holders.ts'
import { checkFrame, checkName, checkUsers, encodeNotice, type Fanout } from './index.ts'
import { listeners, watchers } from './listeners.ts'
import { type Link, natsLink } from './nats-link.ts'

export type NatsFanoutOptions = { url: string; nodeId: string; log: AdapterContext['log']; prefix?: string }

/** How often a gateway says that it is there and at which version of its list. */
export const BEAT_MS = 5_000
/** After a start or an outage a sender tells everyone for so long: by then each live gateway has been heard of. */
export const SETTLE_MS = BEAT_MS + 1_000
/** Topics share so many subjects, so that joining many topics stays a few subscriptions. */
export const TOPIC_SHARDS = 1_024

export const natsFanout = async ({ url, nodeId, log, prefix = 'gigwire' }: NatsFanoutOptions): Promise<Fanout> => {
  const subjects = subjectsOf(prefix)
  const missed = new Set<{ heard: () => void }>()
  const shards = new Map<number, { topics: number; stop: () => void }>()
  let gatewayStops: (() => void)[] = []
  // until then nothing can have been missed
  let made = false
  let dropped = false
  let tracking = false
  let open = true

  const link: Link = await natsLink({ url, name: nodeId, log, changed: (up) => (up && made ? healed() : undefined) })

  const say = (subject: string, announcement: Announcement): boolean => link.publish(subject, encode(announcement))

  const known = holders({
    now: () => performance.now(),
    askForList: (node) => link.publish(subjects.askList(node), EMPTY, subjects.told(nodeId)),
    changed: (userIds) => watching.hear(userIds),
  })
  const notices = listeners(log, (subject, listened) => (listened ? listen(subject) : noticeStops.get(subject)?.()))
  const noticeStops = new Map<string, () => void>()
  const watching = watchers(log)
  const own = attachments(log, {
    user: (userId, held) => {
      announce.changed(userId, held)
      watching.hear([userId])
    },
    topic: (topic, joined) => (joined ? join(shardOf(topic)) : leave(shardOf(topic))),
    attached: (count) => becomeGateway(count > 0),
  })
  const announce = announcer({
    node: nodeId,
    epoch: randomUUID(),
    userIds: own.userIds,
    count: own.userCount,
    say: (announcement) => say(subjects.announced, announcement),
  })

  // … gateway: what arrives, and what it says of itself

  const becomeGateway = (is: boolean): void => {
    if (is === gatewayStops.length > 0) return
    if (is) {
      gatewayStops = [
        link.subscribe(subjects.gateway(nodeId), hearUsers),
        link.subscribe(subjects.everyGateway, hearUsers),
        link.subscribe(subjects.askBeat, () => announce.beat()),
        link.subscribe(subjects.askList(nodeId), (_, reply) => announce.list((part) => say(reply, part))),
      ]
      announce.beat()
    } else {
      announce.gone()
      for (const stop of gatewayStops.splice(0)) stop()
    }
  }

  const hearUsers = (payload: Buffer): void => {
    const [head, frame] = split(payload)
    own.toUsers(JSON.parse(head) as string[], frame)
  }

  const join = (shard: number): void => {
    const joined = shards.get(shard) ?? { topics: 0, stop: link.subscribe(subjects.topic(shard), hearTopic) }
    joined.topics += 1
    shards.set(shard, joined)
  }

  const leave = (shard: number): void => {
    const joined = shards.get(shard)
    if (!joined || --joined.topics > 0) return
    joined.stop()
    shards.delete(shard)
  }

  const hearTopic = (payload: Buffer): void => {
    const [head, frame] = split(payload)
    const [topic = '', seq = '0'] = head.split(' ')
    own.toTopic(topic, frame, Number(seq))
  }

  // … sender: who holds whom

  const track = (): void => {
    if (tracking) return
    tracking = true
    const hear = (payload: Buffer): void => known.hear(JSON.parse(payload.toString()) as Announcement)
    link.subscribe(subjects.announced, hear)
    link.subscribe(subjects.told(nodeId), hear)
    askAround()
  }

  const askAround = (): void => {
    known.unsettle(SETTLE_MS)
    link.publish(subjects.askBeat, EMPTY)
  }

  const send = (subject: string, head: string, frame: Buffer): void => {
    if (!link.publish(subject, Buffer.concat([Buffer.from(`${head}\n`), frame]))) dropped = true
  }

  const sendUsers = (userIds: readonly string[], text: string): void => {
    track()
    const targets = known.targets(userIds)
    if (targets?.size === 0) return
    const frame = Buffer.from(text)
    if (targets === null) send(subjects.everyGateway, JSON.stringify(userIds), frame)
    else for (const [node, concerned] of targets) send(subjects.gateway(node), JSON.stringify(concerned), frame)
  }

  // … notices, and what an outage has cost

  const listen = (subject: string): void => {
    noticeStops.set(
      subject,
      link.subscribe(subjects.notice(subject), (payload) => notices.hear(subject, payload.toString())),
    )
  }

  const tellMissed = (): void => {
    for (const { heard } of missed) heard()
  }

  // those who did not get it can't know by themselves
  const confess = (): void => {
    if (dropped && link.publish(subjects.missed, EMPTY)) dropped = false
  }

  const healed = (): void => {
    if (gatewayStops.length > 0) announce.beat()
    if (tracking) askAround()
    tellMissed()
    confess()
  }

  const tick = setInterval(() => {
    known.forgetSilent()
    if (gatewayStops.length > 0) announce.beat()
    confess()
  }, BEAT_MS).unref()

  link.subscribe(subjects.missed, tellMissed)
  made = true

  return {
    attach: own.attach,
    toUsers: (userIds, frame) => {
      checkUsers(userIds)
      checkFrame(frame)
      if (!open || userIds.length === 0) return
      own.toUsers(userIds, frame)
      sendUsers(userIds, frame)
    },
    toTopic: (topic, frame, seq = 0) => {
      checkName(topic)
      checkFrame(frame)
      if (!open) return
      own.toTopic(topic, frame, seq)
      send(subjects.topic(shardOf(topic)), seq > 0 ? `${topic} ${seq}` : topic, Buffer.from(frame))
    },
    toNodes: (subject, data) => {
      checkName(subject)
      const text = encodeNotice(data)
      if (!open) return
      notices.hear(subject, text)
      if (!link.publish(subjects.notice(subject), Buffer.from(text))) dropped = true
    },
    onNodes: (subject, heard) => {
      checkName(subject)
      return notices.add(subject, heard)
    },
    onMissed: (heard) => {
      const one = { heard }
      missed.add(one)
      return () => void missed.delete(one)
    },
    held: (userIds) => {
      track()
      return userIds.filter((userId) => own.holds(userId) || known.holds(userId))
    },
    onHeld: (heard) => {
      track()
      return watching.add(heard)
    },
    state: () => (link.up() ? 'up' : 'down'),
    close: async () => {
      open = false
      clearInterval(tick)
      notices.clear()
      becomeGateway(false)
      await link.close()
    },
  }
}

const EMPTY = new Uint8Array(0)

const subjectsOf = (prefix: string) => ({
  gateway: (node: string) => `${prefix}.gw.${token(node)}`,
  everyGateway: `${prefix}.gateways`,
  topic: (shard: number) => `${prefix}.topic.${shard}`,
  notice: (subject: string) => `${prefix}.nodes.${token(subject)}`,
  announced: `${prefix}.holders`,
  told: (node: string) => `${prefix}.holders.told.${token(node)}`,
  askBeat: `${prefix}.holders.ask`,
  askList: (node: string) => `${prefix}.holders.ask.${token(node)}`,
  missed: `${prefix}.missed`,
})

/** Any name as one part of a subject, in which dots, stars and spaces have a meaning. */
const token = (name: string): string =>
  encodeURIComponent(name).replace(/[.!~*'()]/g, (letter) => `%${letter.charCodeAt(0).toString(16)}`)

const shardOf = (topic: string): number => createHash('sha256').update(topic).digest().readUInt16BE() % TOPIC_SHARDS

const encode = (announcement: Announcement): Buffer => Buffer.from(JSON.stringify(announcement))

/** A head without a line feed (JSON, or a topic and the frame's number if it has one), a line feed, the frame as it is. */
const split = (payload: Buffer): [head: string, frame: string] => {
  const at = payload.indexOf(10)
  return [payload.toString('utf8', 0, at), payload.toString('utf8', at + 1)]
}
