// What nodes send each other: JSON, and behind it, as it is, the long text that an answer has. Such a text is mostly JSON
// already: within JSON every quote of it would be escaped on one side and unescaped on the other, and it would be of
// another size than it was measured to be.
import { Serializers } from 'moleculer'

/** Shorter texts stay where they are. */
const TEXT_MIN = 1024
const ANSWER = 'RES'
const BRACE = 0x7b
const LINE_END = 0x0a

type WithText = { text: string }

/** A packet with a text behind it begins with how many bytes of JSON come first, and a line break. */
export class Packets extends Serializers.Base {
  serialize(packet: object, type?: string): Buffer {
    const { data } = packet as { data?: unknown }
    if (type !== ANSWER || !hasLongText(data)) return Buffer.from(JSON.stringify(packet))
    const head = JSON.stringify({ ...packet, data: { ...data, text: '' } })
    return Buffer.from(`${Buffer.byteLength(head)}\n${head}${data.text}`)
  }

  deserialize(bytes: Buffer): object {
    if (bytes[0] === BRACE) return JSON.parse(bytes.toString())
    const from = bytes.indexOf(LINE_END) + 1
    const to = from + Number(bytes.toString('latin1', 0, from))
    const packet = JSON.parse(bytes.toString('utf8', from, to)) as { data: WithText }
    packet.data.text = bytes.toString('utf8', to)
    return packet
  }
}

const hasLongText = (data: unknown): data is WithText => {
  const { text } = (data ?? {}) as Partial<WithText>
  // A lone surrogate is written in JSON as an escape, and nowhere else.
  return typeof text === 'string' && text.length >= TEXT_MIN && text.isWellFormed()
}
