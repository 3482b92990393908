// Every move of an order as a pure decision: (order, who, what, now) → the next order, what it says, or a refusal.
export { remembering, type By, type Moved } from './moves/taking.ts'
export { accept, answer, deliver, revise } from './moves/working.ts'
export { extend } from './moves/extending.ts'
export { decline, proposedTo } from './moves/declining.ts'
export { cancel } from './moves/cancelling.ts'
export { answerDispute, dispute, resolve, withdrawDispute } from './moves/disputing.ts'
export { declined, paid, refunded, type Paid } from './moves/paying.ts'
export { wake } from './moves/waking.ts'
