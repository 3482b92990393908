// A letter about one or several notifications: plain text, short, with a link to each thing. Pure.
import type { Letter } from '../../adapters/mail/index.ts'
import type { NotificationDoc } from './notifications.ts'

export type Addressed = {
  /** The dispatch's: the same letter has the same id however often it is tried. */
  id: string
  to: string
  name: string
  publicUrl: string
  /** For mail programs, and for people. */
  unsubscribeUrl: string
  unsubscribePage: string
}

const PAGES: Readonly<Record<string, (id: string) => string>> = {
  order: (id) => `/orders/${id}`,
  conversation: (id) => `/inbox/${id}`,
  gig: (id) => `/gigs/${id}`,
  payout: () => '/seller/earnings',
  saved_search: () => '/account/searches',
}

/** Where a person goes from a notification; the start page for what has none. */
export const linkTo = ({ type, id }: NotificationDoc['about'], publicUrl: string): string =>
  `${publicUrl}${PAGES[type]?.(id) ?? '/'}`

export const letterOf = (docs: readonly NotificationDoc[], to: Addressed): Letter => {
  const [first] = docs
  const isOne = docs.length === 1
  const items = docs.map(({ title, text, about }) =>
    [isOne ? '' : `* ${title}`, text, linkTo(about, to.publicUrl)].filter(Boolean).join('\n'),
  )
  return {
    id: to.id,
    to: to.to,
    subject: isOne ? first!.title : `${docs.length} new notifications`,
    text: `Hello ${to.name},\n\n${isOne ? `${first!.title}\n\n` : ''}${items.join('\n\n')}\n\n-- \nNo more letters like this: ${to.unsubscribePage}\n`,
    unsubscribeUrl: to.unsubscribeUrl,
  }
}
