// A gig's page: what it is, what it costs, who makes it, what others said.
import { CATEGORIES, PACKAGE_NAMES, type Gig, type GigCard } from '../services/gig/contract.ts'
import type { Review } from '../services/review/contract.ts'
import { cards } from './card.ts'
import { day, level, money, plural, rating } from './format.ts'
import { html, paragraphs, type Html } from './html.ts'
import { layout } from './layout.ts'

export const gigPage = (gig: Gig, reviews: readonly Review[], similar: readonly GigCard[]): string =>
  layout({
    title: gig.title,
    description: gig.description,
    path: `/gigs/${gig.id}`,
    body: html`<div class="wrap">
      <div class="gig">
        <article>
          <p class="quiet">
            <a href="/categories/${gig.category}">${categoryName(gig.category)}</a> /
            ${subcategoryName(gig.category, gig.subcategory)}
          </p>
          <h1>${gig.title}</h1>
          <p>
            <a href="/users/${gig.seller.username}">${gig.seller.displayName}</a>
            <span class="quiet">${level(gig.seller.level)}</span> ${rating(gig.rating, gig.reviewCount)}
          </p>
          ${gig.images[0] ? html`<img class="cover" src="${gig.images[0].url}" alt="" width="640" height="400" />` : ''}
          <h2>About this gig</h2>
          ${paragraphs(gig.description)}
          ${
            gig.faq.length > 0
              ? html`<h2>Questions</h2>
                  ${gig.faq.map(
                    ({ question, answer }) =>
                      html`<details>
                        <summary>${question}</summary>
                        <p>${answer}</p>
                      </details>`,
                  )}`
              : ''
          }
          <h2>Reviews</h2>
          ${reviews.length > 0 ? reviews.map(review) : html`<p class="quiet">Nobody has reviewed this gig yet.</p>`}
          ${
            gig.tags.length > 0
              ? html`<h2>Tags</h2>
                  <ul class="tags">
                    ${gig.tags.map((tag) => html`<li><a href="/search?tags=${encodeURIComponent(tag)}">${tag}</a></li>`)}
                  </ul>`
              : ''
          }
        </article>
        <aside class="order" aria-label="Packages">
          <div class="packages">${PACKAGE_NAMES.map((name) => oneOf(gig, name))}</div>
          ${
            gig.extras.length > 0
              ? html`<h2>Extras</h2>
                  <ul>
                    ${gig.extras.map(({ title, price }) => html`<li>${title}: ${money(price)}</li>`)}
                  </ul>`
              : ''
          }
        </aside>
      </div>
      ${
        similar.length > 0
          ? html`<h2>Similar gigs</h2>
              ${cards(similar)}`
          : ''
      }
    </div>`,
  })

const oneOf = (gig: Gig, name: (typeof PACKAGE_NAMES)[number]): Html | '' => {
  const chosen = gig.packages[name]
  if (!chosen) return ''
  return html`<section class="package">
    <h3><span>${chosen.title}</span> <span>${money(chosen.price)}</span></h3>
    <p class="quiet">${chosen.description}</p>
    <ul>
      ${chosen.features.map((feature) => html`<li>${feature}</li>`)}
    </ul>
    <p class="quiet">Delivered in ${plural(chosen.deliveryDays, 'day')}, ${plural(chosen.revisions, 'revision')}</p>
  </section>`
}

const review = ({ author, rating: stars, text, createdAt }: Review): Html =>
  html`<div class="review">
    <b>${author.displayName}</b>
    <span class="rating"
      ><span aria-hidden="true">${'★'.repeat(stars)}</span><span class="hidden">${stars} of 5 stars</span></span
    >
    <span class="quiet">${day(createdAt)}</span>
    <p>${text}</p>
  </div>`

const categoryName = (slug: string): string => CATEGORIES.find((one) => one.slug === slug)?.name ?? slug
const subcategoryName = (category: string, slug: string): string =>
  CATEGORIES.find((one) => one.slug === category)?.subcategories.find((one) => one.slug === slug)?.name ?? slug
