// Search results: a plain form for the filters, links for the facets, so that every state of it is an address.
import type { Category, SearchPage } from '../services/search/contract.ts'
import { cards } from './card.ts'
import { level, money, plural } from './format.ts'
import { html, type Html } from './html.ts'
import { layout } from './layout.ts'

/** What the page hands on to the API. */
export const SEARCH_FIELDS = [
  'q',
  'category',
  'subcategory',
  'minPrice',
  'maxPrice',
  'deliveryDays',
  'sellerLevel',
  'minRating',
  'language',
  'tags',
  'sort',
  'cursor',
] as const
const SORTS = {
  relevance: 'Best match',
  bestselling: 'Bestselling',
  rating: 'Rating',
  newest: 'Newest',
  price: 'Price: low to high',
  '-price': 'Price: high to low',
}

export type Asked = { path: string; fields: URLSearchParams; category?: Category | undefined }

/** What the answer leaves out of the question. */
const looser = ({ query: { loosened = [] } }: SearchPage) => {
  const words = loosened.flatMap((one) => (one.kind === 'word' ? [one.word] : []))
  return words.length > 0 ? html`, without <b>${words.join(', ')}</b>` : ''
}

export const searchPage = (
  { path, fields, category }: Asked,
  found: SearchPage,
  categories: readonly Category[],
): string => {
  const q = fields.get('q') ?? ''
  const title = category ? category.name : q ? `“${q}”` : 'All gigs'
  return layout({
    title,
    description: `${plural(found.total, 'gig')}: ${title}`,
    path: category && [...fields].length === 0 ? path : `/search?${fields}`,
    q,
    noIndex: !category || fields.has('cursor'),
    body: html`<div class="wrap">
      <h1>${title}</h1>
      <p class="quiet">
        ${plural(found.total, 'gig')}${found.query.corrected ? html`, showing results for <b>${found.query.corrected}</b>` : ''}${looser(found)}
      </p>
      <div class="results">
        ${filters(path, fields, found, categories)}
        <section aria-label="Results">
          ${found.data.length > 0 ? cards(found.data) : nothing(q)}
          ${found.nextCursor ? html`<p class="more"><a class="button" href="${href(path, fields, { cursor: found.nextCursor })}">More gigs</a></p>` : ''}
        </section>
      </div>
    </div>`,
  })
}

const nothing = (q: string): Html =>
  html`<p>Nothing found${q ? html` for <b>${q}</b>` : ''}. Try other words, or fewer filters.</p>
    <p><a class="button" href="/search">All gigs</a></p>`

/** The same page with some fields changed; what changes the results starts them anew. */
const href = (path: string, fields: URLSearchParams, change: Record<string, string | null>): string => {
  const next = new URLSearchParams(fields)
  next.delete('cursor')
  for (const [name, value] of Object.entries(change)) {
    if (value === null) next.delete(name)
    else next.set(name, value)
  }
  return `${path}${next.size > 0 ? `?${next}` : ''}`
}

const filters = (
  path: string,
  fields: URLSearchParams,
  { facets }: SearchPage,
  categories: readonly Category[],
): Html => {
  const names = new Map(categories.map(({ slug, name }) => [slug, name]))
  const inCategory = path.startsWith('/categories/')
  return html`<form class="filters" action="${path}" aria-label="Filters">
    ${fields.has('q') ? html`<input type="hidden" name="q" value="${fields.get('q')}" />` : ''}${fields.has('category') ? html`<input type="hidden" name="category" value="${fields.get('category')}" />` : ''}${fields.has('sellerLevel') ? html`<input type="hidden" name="sellerLevel" value="${fields.get('sellerLevel')}" />` : ''}
    <fieldset>
      <legend>Sort by</legend>
      <label class="hidden" for="sort">Sort by</label
      ><select id="sort" name="sort">
        ${Object.entries(SORTS).map(([value, name]) => html`<option value="${value}" ${fields.get('sort') === value ? html` selected` : ''}>${name}</option>`)}
      </select>
    </fieldset>
    <fieldset>
      <legend>Price in dollars</legend>
      ${facets.price ? bars(facets.price.histogram) : ''}
      <div class="pair">
        <label
          ><span class="hidden">At least</span
          ><input
            name="min"
            inputmode="numeric"
            pattern="[0-9]*"
            placeholder="Min"
            value="${dollars(fields.get('minPrice'))}" /></label
        ><label
          ><span class="hidden">At most</span
          ><input
            name="max"
            inputmode="numeric"
            pattern="[0-9]*"
            placeholder="Max"
            value="${dollars(fields.get('maxPrice'))}"
        /></label>
      </div>
    </fieldset>
    <fieldset>
      <legend>Delivered within</legend>
      <label class="hidden" for="days">Delivered within</label
      ><select id="days" name="deliveryDays">
        ${[
          ['', 'Any time'],
          ['1', 'One day'],
          ['3', '3 days'],
          ['7', '7 days'],
        ].map(
          ([value, name]) =>
            html`<option value="${value}" ${(fields.get('deliveryDays') ?? '') === value ? html` selected` : ''}>
              ${name}
            </option>`,
        )}
      </select>
    </fieldset>
    <p><button>Apply</button></p>
    ${
      inCategory || !facets.category
        ? ''
        : facet(
            'Category',
            facets.category,
            (slug) => names.get(slug) ?? slug,
            (slug) => href(path, fields, { category: fields.get('category') === slug ? null : slug }),
            fields.get('category'),
          )
    }
    ${
      facets.subcategory && inCategory
        ? facet(
            'Kind',
            facets.subcategory,
            (slug) => subName(categories, slug),
            (slug) => href(path, fields, { subcategory: fields.get('subcategory') === slug ? null : slug }),
            fields.get('subcategory'),
          )
        : ''
    }
    ${facets.sellerLevel ? facet('Seller', facets.sellerLevel, level, (name) => href(path, fields, { sellerLevel: fields.get('sellerLevel') === name ? null : name }), fields.get('sellerLevel')) : ''}
  </form>`
}

const subName = (categories: readonly Category[], slug: string): string =>
  categories.flatMap(({ subcategories }) => subcategories).find((one) => one.slug === slug)?.name ?? slug

const facet = (
  title: string,
  counts: Record<string, number>,
  name: (value: string) => string,
  link: (value: string) => string,
  current: string | null,
): Html =>
  html`<fieldset>
    <legend>${title}</legend>
    <ul>
      ${Object.entries(counts)
        .sort(([, a], [, b]) => b - a)
        .map(
          ([value, count]) =>
            html`<li>
              <a href="${link(value)}" ${value === current ? html` aria-current="true"` : ''}
                ><span>${name(value)}</span> <span class="quiet">${count.toLocaleString('en')}</span></a
              >
            </li>`,
        )}
    </ul>
  </fieldset>`

const bars = (histogram: readonly { from: number; to: number; count: number }[]): Html => {
  const most = Math.max(1, ...histogram.map(({ count }) => count))
  // Heights in steps of five: a style attribute would need a looser content policy than the page deserves.
  const steps = histogram.map(
    ({ from, to, count }) =>
      html`<i
        class="h${Math.ceil((count / most) * 8)}"
        title="${money({ amount: from, currency: 'usd' })} to ${money({ amount: to, currency: 'usd' })}: ${count}"
      ></i>`,
  )
  return html`<div class="bars" aria-hidden="true">${steps}</div>`
}

const dollars = (minor: string | null): string => (minor ? String(Math.floor(Number(minor) / 100)) : '')
