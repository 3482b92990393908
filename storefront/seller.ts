// A seller's page.
import type { Profile } from '../services/account/contract.ts'
import type { GigCard } from '../services/gig/contract.ts'
import { cards } from './card.ts'
import { level, month, rating, wait } from './format.ts'
import { html, paragraphs } from './html.ts'
import { layout } from './layout.ts'

const LANGUAGES = new Intl.DisplayNames('en', { type: 'language' })

export const sellerPage = (profile: Profile, gigs: readonly GigCard[]): string =>
  layout({
    title: profile.displayName,
    description: profile.bio || `${profile.displayName} on Gigwire`,
    path: `/users/${profile.username}`,
    body: html`<div class="wrap">
      <h1>${profile.displayName}</h1>
      <p class="quiet">
        @${profile.username} · ${profile.roles.includes('seller') ? level(profile.level) : 'Buyer'} · here since
        ${month(profile.memberSince)}
      </p>
      ${profile.roles.includes('seller') ? html`<p>${rating(profile.rating, profile.reviewCount)}</p>` : ''}
      ${profile.responseMinutes === null ? '' : html`<p>Usually answers within ${wait(profile.responseMinutes)}</p>`}
      ${profile.languages.length > 0 ? html`<p>Speaks ${profile.languages.map((code) => LANGUAGES.of(code) ?? code).join(', ')}</p>` : ''}
      ${profile.bio ? paragraphs(profile.bio) : ''}
      ${
        gigs.length > 0
          ? html`<h2>Gigs</h2>
              ${cards(gigs)}`
          : ''
      }
    </div>`,
  })
