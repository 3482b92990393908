// What `npm run test:services` runs: the story over real servers, and the suites of the products those servers are for.
export default {
  files: [
    'test/services.test.ts',
    'test/search-server.test.ts',
    'adapters/documents/documents.test.ts',
    'adapters/cache/cache.test.ts',
    'adapters/engine/engine.test.ts',
    'adapters/engine/meilisearch.test.ts',
    'adapters/fanout/*.test.ts',
    'services/gateway/shared.test.ts',
    'test/browsing.test.ts',
  ],
  extensions: ['ts'],
  workerThreads: false,
  timeout: '300s',
  concurrency: 2,
}
