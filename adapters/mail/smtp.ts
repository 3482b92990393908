// Letters through a mail server. Each has a deadline of its own and the same Message-ID whenever it is sent again, so that
// a server or reader that cares shows it once.

import { createHash } from 'node:crypto'
import { checkLetter, type Letter, type Mail, MailError } from './index.ts'

export type SmtpMailOptions = {
  /** `smtp://user:password@host:587` or `smtps://…` */
  url: string
  /** `Gigwire <post@gigwire.example>` */
  from: string
  /** For one letter, from the first packet to the last. */
  sendMsMax?: number
}

/** Letters under way at one time; beyond that the answer is: later. */
export const SENDING_MAX = 20
const SEND_MS_MAX = 30_000

export const smtpMail = async ({ url, from, sendMsMax = SEND_MS_MAX }: SmtpMailOptions): Promise<Mail> => {
  const { createTransport } = await import('nodemailer')
  const transport = createTransport({
    url,
    connectionTimeout: sendMsMax,
    greetingTimeout: sendMsMax,
    socketTimeout: sendMsMax,
    dnsTimeout: sendMsMax,
    // a letter's text never makes this process read a file or fetch an address
    disableFileAccess: true,
    disableUrlAccess: true,
  })
  const domain = /@([^@>\s]+)>?\s*$/.exec(from)?.[1]
  if (!domain) throw new TypeError('the sender is no mail address')
  const closing = new AbortController()
  const sending = new Set<Promise<unknown>>()

  const deliver = async (letter: Letter): Promise<void> => {
    const { id, to, subject, text, html, unsubscribeUrl } = letter
    const signal = AbortSignal.any([closing.signal, AbortSignal.timeout(sendMsMax)])
    const messageId = `<${createHash('sha256').update(id).digest('hex').slice(0, 40)}@${domain}>`
    const message = {
      from,
      to: { name: '', address: to },
      subject,
      text,
      messageId,
      signal,
      ...(html === undefined ? {} : { html }),
      ...(unsubscribeUrl === undefined ? {} : { headers: unsubscribing(unsubscribeUrl) }),
    }
    await transport.sendMail(message).catch((error: unknown) => {
      throw new MailError((error as Error).message, isRetryable(error as SmtpError))
    })
  }

  return {
    send: async (letter) => {
      checkLetter(letter)
      if (closing.signal.aborted) throw new MailError('mail is closed', true)
      if (sending.size >= SENDING_MAX) throw new MailError('too many letters under way', true)
      const delivered = deliver(letter)
      sending.add(delivered)
      await delivered.finally(() => sending.delete(delivered))
    },
    close: async () => {
      closing.abort()
      await Promise.allSettled(sending)
      transport.close()
    },
  }
}

/** RFC 8058: the reader's mail program may end letters of this kind with one POST. */
const unsubscribing = (url: string): Record<string, string> => ({
  'List-Unsubscribe': `<${url}>`,
  'List-Unsubscribe-Post': 'List-Unsubscribe=One-Click',
})

type SmtpError = Error & { code?: string; responseCode?: number }

/** Only an answer about this letter or this address is for good. A refused login or greeting is about us, and somebody will mend it. */
const isRetryable = ({ code, responseCode }: SmtpError): boolean => {
  const aboutTheLetter = code === 'EENVELOPE' || code === 'EMESSAGE'
  return !aboutTheLetter || (responseCode !== undefined && responseCode < 500)
}
