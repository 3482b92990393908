// A message as it goes out: encoded once, for events, for answers and for what is kept of it in memory.
import { iso } from '../shapes.ts'
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

/**
 * From the text that is stored. Of a message that is as it was sent, which most are, it is that text without what the store
 * keeps for itself, and need not be decoded for it.
 */
export const wiredText = (text: string): Wire => {
  const [, begins, seq, sender, goesOn, sentAt] = AS_SENT.exec(text) ?? []
  if (begins === undefined) return wiredDoc(JSON.parse(text))
  const json = `${begins}${goesOn}"${iso(Number(sentAt))}"}`
  return { seq: Number(seq), change: 0, sender: sender!, held: false, json, bytes: Buffer.byteLength(json) }
}
/** A member's words can't be taken for any of it: within a text, a quote has a backslash before it. */
const AS_SENT =
  /^(\{"id":"[^"\\]+","version":1,"conversation":"[^"\\]+","seq":(\d+),"sender":"([^"\\]+)"),"senderSeq":\d+(,"clientId":.*,"sentAt":)(\d+)(?:,"runAt":\d+)?,"editedAt":null,"deleted":false\}$/s

export const jsonFor = ({ held, sender, json }: Wire, viewer: string): string =>
  held && sender !== viewer ? JSON.stringify(seenBy(JSON.parse(json) as Message, viewer)) : json
