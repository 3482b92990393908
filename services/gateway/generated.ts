import type { Settings } from '../../mixins/node.ts'
import type { Generated } from './documented.ts'
export const generatedDocuments = (_: Settings): Generated[] => []
