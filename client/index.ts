// Gigwire's realtime client. Runs as written in Node and Deno; client/build.ts makes one file for browsers.
export { connect } from './client.ts'
export { ClientError } from './failure.ts'
export type { Client, Events, Options, Position, Sending, SocketClass, State, StorageLike } from './types.ts'
export type { Announcement, Conversations, GigEvent, Message, Notification, OfferCard, OrderEvent } from './wire.ts'
