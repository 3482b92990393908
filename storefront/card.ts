// A gig as lists show it.
import type { GigCard } from '../services/gig/contract.ts'
import { level, money, rating } from './format.ts'
import { html, type Html } from './html.ts'

/** The first cards are what a visitor sees: their pictures are not waited for. */
const EAGER = 4

export const cards = (gigs: readonly GigCard[]): Html =>
  html`<ul class="cards">
    ${gigs.map((gig, at) => html`<li>${card(gig, at)}</li>`)}
  </ul>`

const card = (gig: GigCard, at: number): Html =>
  html`<article class="card">
    ${gig.image ? html`<img src="${gig.image.url}" alt="" width="640" height="400" ${at < EAGER ? '' : html`loading="lazy"`} />` : ''}
    <div class="in">
      <span class="quiet">${gig.seller.displayName} · ${level(gig.seller.level)}</span>
      <h3><a href="/gigs/${gig.id}">${gig.title}</a></h3>
      ${rating(gig.rating, gig.reviewCount)}
      <span class="price">From ${money(gig.price)}</span>
    </div>
  </article>`
