// Letters for a machine without a mail server: one line in the log for each, and the last ones kept to be looked at.

import type { AdapterContext } from '../index.ts'
import { checkLetter, type Letter, type Mail, MailError } from './index.ts'

export const RECENT_MAX = 100

/** `recent` answers the last letters, oldest first. */
export type LogMail = Mail & { recent(): readonly Letter[] }

export const logMail = (log: Pick<AdapterContext['log'], 'info'>): LogMail => {
  // in the order of arrival
  const letters = new Map<string, Letter>()
  let open = true

  return {
    send: async (letter) => {
      if (!open) throw new MailError('mail is closed', true)
      checkLetter(letter)
      if (letters.has(letter.id)) return
      letters.set(letter.id, { ...letter })
      for (const oldest of letters.keys()) if (letters.size > RECENT_MAX) letters.delete(oldest)
      // neither the body, which holds links that sign people in, nor the whole address
      log.info('mail: letter', {
        id: letter.id,
        to: masked(letter.to),
        subject: letter.subject,
        letters: letter.text.length,
      })
    },
    recent: () => [...letters.values()],
    close: async () => {
      open = false
    },
  }
}

const masked = (address: string): string => address.replace(/^(.).*@/, '$1…@')
