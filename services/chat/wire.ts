// A message as it goes out: encoded once, for events, for answers and for what is kept of it in memory.
import type { Message } from './contract.ts'
import { publicMessage, seenBy, type MessageDoc } from './messages.ts'

/** `json` is as its sender sees it. */
export type Wire = { seq: number; change: number; sender: string; held: boolean; json: string; bytes: number }

export const wired = (message: Message): Wire => {
  const json = JSON.stringify(message)
  const { seq, change = 0, sender, held = false } = message
  return { seq, change, sender, held, json, bytes: Buffer.byteLength(json) }
}
export const wiredDoc = (message: MessageDoc): Wire => wired(publicMessage(message))

export const jsonFor = ({ held, sender, json }: Wire, viewer: string): string =>
  held && sender !== viewer ? JSON.stringify(seenBy(JSON.parse(json) as Message, viewer)) : json
