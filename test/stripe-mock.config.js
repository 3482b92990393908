// What `npm run test:stripe-mock` runs: the payments adapter and the sandbox held against the provider's description.
export default {
  files: ['adapters/payments/shape.test.ts'],
  extensions: ['ts'],
  workerThreads: false,
  timeout: '300s',
}
