// What `npm run test:deno` runs.
export default { files: ['test/deno.test.ts'], extensions: ['ts'], workerThreads: false, timeout: '300s' }
