// Letters to people. Sending is at least once and may be late; nothing waits for it.

export type Letter = {
  /** Idempotency: products that can, send one id once. */
  id: string
  to: string
  subject: string
  text: string
  html?: string
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
