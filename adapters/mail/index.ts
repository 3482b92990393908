// Letters to people. Sending is at least once and may be late; nothing waits for it.

export type Letter = {
  /** Idempotency: products that can, send one id once. */
  id: string
  to: string
  subject: string
  text: string
  html?: string
  /** Where one request, without signing in, ends letters of this kind (RFC 8058); shown by the reader's mail program. */
  unsubscribeUrl?: string
}

export interface Mail {
  /** Resolves when the product took the letter over; rejects with MailError otherwise. */
  send(letter: Letter): Promise<void>
  close(): Promise<void>
}

export class MailError extends Error {
  /** True: try again later. False: this letter or address is refused for good. */
  readonly retryable: boolean
  constructor(message: string, retryable: boolean) {
    super(message)
    this.name = 'MailError'
    this.retryable = retryable
  }
}

export const LETTER_BYTES_MAX = 512 * 1024
export const SUBJECT_LETTERS_MAX = 500
const URL_LETTERS_MAX = 900

/** One plain address: no list, no name, no comment, no line break, so that a letter has one reader and no header of the sender's own. */
const ADDRESS = /^[^\s@<>()[\],;:\\"]{1,64}@[a-z0-9.-]{1,253}$/i

/** Refuses for good what no product may send. */
export const checkLetter = ({ to, subject, text, html = '', unsubscribeUrl }: Letter): void => {
  if (!ADDRESS.test(to)) throw new MailError('not one plain mail address', false)
  if (subject.length > SUBJECT_LETTERS_MAX || /[\r\n\0]/.test(subject))
    throw new MailError('not a subject of one line', false)
  if (unsubscribeUrl !== undefined && !isWebAddress(unsubscribeUrl))
    throw new MailError('not an address to unsubscribe at', false)
  if (Buffer.byteLength(text) + Buffer.byteLength(html) > LETTER_BYTES_MAX)
    throw new MailError('the letter is too large', false)
}

/** Visible ASCII without what would end it in a header. */
const isWebAddress = (url: string): boolean =>
  url.length <= URL_LETTERS_MAX && /^https?:\/\/[\x21-\x3b\x3d\x3f-\x7e]+$/.test(url)
