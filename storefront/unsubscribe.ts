// Where a letter's link leads: says what would end, and ends it only at the press of a button, for programs follow links.
import { html } from './html.ts'
import { layout } from './layout.ts'

/** `email`: such letters still come. */
export type Unsubscribing = { kind: string; email: boolean }

const LETTERS: Readonly<Record<string, string>> = {
  message: 'letters about new messages',
  order: 'letters about orders',
  gig: 'letters about your gigs',
  review: 'letters about reviews',
  payout: 'letters about payouts',
}

export const unsubscribePage = (path: string, { kind, email }: Unsubscribing): string => {
  const letters = LETTERS[kind] ?? 'all letters about notifications'
  return layout({
    title: email ? 'No more letters?' : 'No more letters',
    description: `Ends ${letters}.`,
    path,
    noIndex: true,
    body: html`<div class="wrap">
      ${
        email
          ? html`<h1>No more letters?</h1>
              <p>This ends ${letters}. You still see everything here, in the app.</p>
              <form method="post" action="${path}"><button class="button">End ${letters}</button></form>`
          : html`<h1>No more letters</h1>
              <p>It is done: ${letters} have ended. You still see everything here, in the app.</p>
              <p><a class="button" href="/">To the front page</a></p>`
      }
    </div>`,
  })
}
