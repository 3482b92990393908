// The storefront's door: pages made on the server from the public API, readable without JavaScript. Pages are the same for
// everybody, so whoever stands in between may keep them for a moment.
import type { Profile } from '../services/account/contract.ts'
import type { Gig, GigCard } from '../services/gig/contract.ts'
import type { Api, PageRequest, PageResponse, Storefront } from '../services/gateway/pages.ts'
import type { Review } from '../services/review/contract.ts'
import type { Category, SearchPage } from '../services/search/contract.ts'
import { art, SEED_MAX } from './art.ts'
import { gigPage } from './gig.ts'
import { homePage } from './home.ts'
import { html } from './html.ts'
import { ICON, layout, STYLE_PATH } from './layout.ts'
import { SEARCH_FIELDS, searchPage } from './search.ts'
import { sellerPage } from './seller.ts'
import { STYLE } from './style.ts'
import { unsubscribePage, type Unsubscribing } from './unsubscribe.ts'

type Found = Record<string, string>
type Page = (api: Api, request: PageRequest, found: Found) => Promise<PageResponse> | PageResponse

const HTML = ['Content-Type', 'text/html; charset=utf-8'] as const
const SHORT = ['Cache-Control', 'public, max-age=10, stale-while-revalidate=60'] as const
const FOR_EVER = ['Cache-Control', 'public, max-age=31536000, immutable'] as const

const pages: readonly [RegExp, Page][] = [
  [/^\/$/, home],
  [/^\/search$/, search],
  [/^\/categories\/(?<slug>[a-z0-9-]{1,60})$/, search],
  [/^\/gigs\/(?<id>[A-Za-z0-9_-]{1,64})$/, gig],
  [/^\/users\/(?<username>[A-Za-z0-9_-]{1,64})$/, seller],
  [/^\/art\/(?<seed>[A-Za-z0-9_-]+)\.svg$/, (_api, _request, { seed }) => picture(art(seed!.slice(0, SEED_MAX)))],
  [/^\/assets\/icon\.svg$/, () => picture(ICON)],
  [
    /^\/assets\/style-[0-9a-f]{12}\.css$/,
    (_api, { path }) =>
      path === STYLE_PATH
        ? { status: 200, headers: [['Content-Type', 'text/css; charset=utf-8'], FOR_EVER], body: STYLE }
        : missing(),
  ],
]

export const storefront: Storefront = (api) => ({
  handle: async (request) => {
    const letter = UNSUBSCRIBE.exec(request.path)?.groups?.token
    if (letter && (request.method === 'GET' || request.method === 'POST')) return unsubscribing(api, request, letter)
    if (request.method !== 'GET') return null
    for (const [shape, page] of pages) {
      const match = shape.exec(request.path)
      if (match) return await page(api, request, { ...match.groups })
    }
    // What is not one of ours may be another mount's; a browser gets a page that says so.
    return request.headers('accept')?.includes('text/html') ? missing() : null
  },
})

const UNSUBSCRIBE = /^\/unsubscribe\/(?<token>[A-Za-z0-9_.-]{1,200})$/

const picture = (svg: string): PageResponse => ({
  status: 200,
  headers: [['Content-Type', 'image/svg+xml; charset=utf-8'], FOR_EVER],
  body: svg,
})
const shown = (body: string): PageResponse => ({ status: 200, headers: [HTML, SHORT], body })

const said = (status: number, title: string, text: string): PageResponse => ({
  status,
  headers: [HTML, ['Cache-Control', 'no-store']],
  body: layout({
    title,
    description: text,
    path: '/',
    noIndex: true,
    body: html`<div class="wrap">
      <h1>${title}</h1>
      <p>${text}</p>
      <p><a class="button" href="/">To the front page</a></p>
    </div>`,
  }),
})
const missing = () => said(404, 'Not here', 'There is no such page, or what it showed is gone.')
const troubled = (status: number) =>
  said(
    status >= 500 ? 503 : status,
    'One moment, please',
    'This part of the market does not answer right now. Try again in a little while.',
  )

const read = async <T>(api: Api, { requestId }: PageRequest, path: string): Promise<{ status: number; body: T }> => {
  const { status, body } = await api('GET', path, { requestId })
  return { status, body: body as T }
}
type List<T> = { data: T[] }
/** Decoration of a page: without it the page is still worth showing. */
const listOr = <T>({ status, body }: { status: number; body: List<T> }): T[] => (status === 200 ? body.data : [])

async function home(api: Api, request: PageRequest): Promise<PageResponse> {
  const [categories, liked, fresh] = await Promise.all([
    read<List<Category>>(api, request, '/v1/categories'),
    read<SearchPage>(api, request, '/v1/gigs?sort=rating&limit=8'),
    read<SearchPage>(api, request, '/v1/gigs?sort=newest&limit=8'),
  ])
  if (categories.status !== 200) return troubled(categories.status)
  return shown(homePage(categories.body.data, listOr(liked), listOr(fresh)))
}

async function search(api: Api, request: PageRequest, { slug }: Found): Promise<PageResponse> {
  const fields = fieldsOf(request.query)
  const asked = new URLSearchParams(fields)
  if (slug) asked.set('category', slug)
  asked.set('facets', slug ? 'subcategory,sellerLevel,price' : 'category,sellerLevel,price')
  asked.set('limit', '24')
  const [found, categories] = await Promise.all([
    read<SearchPage>(api, request, `/v1/gigs?${asked}`),
    read<List<Category>>(api, request, '/v1/categories'),
  ])
  const tree = listOr(categories)
  const category = tree.find((one) => one.slug === slug)
  if (slug && categories.status === 200 && !category) return missing()
  if (found.status === 400)
    return said(
      400,
      'That search does not work',
      'Something in the address is not a filter that exists. Start again from the front page.',
    )
  if (found.status !== 200) return troubled(found.status)
  return shown(searchPage({ path: request.path, fields, category }, found.body, tree))
}

/** The API's own fields, and the form's prices in whole dollars. Empty fields of a form say nothing. */
const fieldsOf = (query: URLSearchParams): URLSearchParams => {
  const fields = new URLSearchParams()
  for (const name of SEARCH_FIELDS) if (query.get(name)) fields.set(name, query.get(name)!)
  for (const [from, to] of [
    ['min', 'minPrice'],
    ['max', 'maxPrice'],
  ] as const)
    if (/^\d{1,7}$/.test(query.get(from) ?? '')) fields.set(to, String(Number(query.get(from)) * 100))
  return fields
}

async function gig(api: Api, request: PageRequest, { id }: Found): Promise<PageResponse> {
  const [found, reviews, similar] = await Promise.all([
    read<Gig>(api, request, `/v1/gigs/${id}`),
    read<List<Review>>(api, request, `/v1/gigs/${id}/reviews?limit=10`),
    read<List<GigCard>>(api, request, `/v1/gigs/${id}/similar`),
  ])
  if (found.status !== 200) return found.status === 404 ? missing() : troubled(found.status)
  return shown(gigPage(found.body, listOr(reviews), listOr(similar).slice(0, 4)))
}

/** The link in a letter is the right to end such letters: nobody signs in for it. */
async function unsubscribing(api: Api, { method, path, requestId }: PageRequest, token: string): Promise<PageResponse> {
  const { status, body } = await api(method, `/v1/notifications/unsubscribe/${token}`, { requestId })
  if (status !== 200) return status === 404 ? missing() : troubled(status)
  return {
    status: 200,
    headers: [HTML, ['Cache-Control', 'no-store']],
    body: unsubscribePage(path, body as Unsubscribing),
  }
}

async function seller(api: Api, request: PageRequest, { username }: Found): Promise<PageResponse> {
  const [profile, gigs] = await Promise.all([
    read<Profile>(api, request, `/v1/users/${username}`),
    read<List<GigCard>>(api, request, `/v1/users/${username}/gigs?limit=24`),
  ])
  if (profile.status !== 200) return profile.status === 404 ? missing() : troubled(profile.status)
  return shown(sellerPage(profile.body, listOr(gigs)))
}
