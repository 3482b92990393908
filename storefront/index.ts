// The storefront's door. Without pages of its own every path outside the API answers 404.
import type { Storefront } from '../services/gateway/pages.ts'

export const storefront: Storefront = () => ({ handle: async () => null })
