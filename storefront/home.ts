// The front page: the categories and what is well liked.
import type { GigCard } from '../services/gig/contract.ts'
import type { Category } from '../services/search/contract.ts'
import { cards } from './card.ts'
import { plural } from './format.ts'
import { html } from './html.ts'
import { layout } from './layout.ts'

export const homePage = (
  categories: readonly Category[],
  liked: readonly GigCard[],
  fresh: readonly GigCard[],
): string =>
  layout({
    title: 'Get it done by somebody good',
    description: 'A marketplace of gigs: design, code, words, music and more, with prices known before you order.',
    path: '/',
    body: html`<section class="hero">
        <div class="wrap">
          <h1>Get it done by somebody good</h1>
          <p>Prices you know beforehand, money that is held until you are happy, and people who answer.</p>
        </div>
      </section>
      <div class="wrap">
        <h2>Categories</h2>
        <ul class="tree">
          ${categories.map(
            ({ slug, name, gigs }) =>
              html`<li>
                <a href="/categories/${slug}"><b>${name}</b><span class="quiet">${plural(gigs, 'gig')}</span></a>
              </li>`,
          )}
        </ul>
        <h2>Well liked</h2>
        ${cards(liked)}
        <h2>New</h2>
        ${cards(fresh)}
      </div>`,
  })
