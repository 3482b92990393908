// What every page stands in.
import { createHash } from 'node:crypto'
import { html, type Html } from './html.ts'
import { STYLE } from './style.ts'

const STYLE_HASH = createHash('sha256').update(STYLE).digest('hex').slice(0, 12)
/** The style's address changes with the style: it may be kept for ever. */
export const STYLE_PATH = `/assets/style-${STYLE_HASH}.css`

export type PageParts = { title: string; description: string; path: string; q?: string; body: Html; noIndex?: boolean }

export const layout = ({ title, description, path, q = '', body, noIndex = false }: PageParts): string => {
  const page = html`<!doctype html>
    <html lang="en">
      <head>
        <meta charset="utf-8" />
        <meta name="viewport" content="width=device-width, initial-scale=1" />
        <title>${title} · Gigwire</title>
        <meta name="description" content="${description.slice(0, 200)}" />
        ${noIndex ? html`<meta name="robots" content="noindex" />` : html`<link rel="canonical" href="${path}" />`}
        <link rel="stylesheet" href="${STYLE_PATH}" />
        <link rel="icon" href="/assets/icon.svg" type="image/svg+xml" />
      </head>
      <body>
        <a class="skip" href="#main">Skip to the content</a>
        <header class="top">
          <div class="wrap">
            <a class="logo" href="/">gig<b>wire</b></a>
            <form class="find" action="/search" role="search">
              <label class="hidden" for="q">Search for a gig</label
              ><input
                id="q"
                name="q"
                type="search"
                value="${q}"
                placeholder="What do you need done?"
                maxlength="200"
              /><button>Search</button>
            </form>
            <nav class="short" aria-label="Sections">
              <a href="/search?sort=newest">New gigs</a><a href="/docs">API</a>
            </nav>
          </div>
        </header>
        <main id="main">${body}</main>
        <footer class="end">
          <div class="wrap">
            <span>An open marketplace, made with Gigwire.</span><a href="/docs">API reference</a
            ><a href="/openapi.json">OpenAPI</a><a href="/asyncapi.json">AsyncAPI</a>
          </div>
        </footer>
      </body>
    </html>`
  return page.text
}

export const ICON =
  '<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 32 32"><rect width="32" height="32" rx="8" fill="#0b6b45"/><path d="M9 16a7 7 0 0 1 12-5m2 5a7 7 0 0 1-12 5" fill="none" stroke="#fff" stroke-width="3" stroke-linecap="round"/></svg>'
