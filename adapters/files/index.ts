// Bytes kept under the hash of their content: the same bytes are kept once, an address never changes its meaning.

export type StoredFile = {
  /** `<sha256 hex>` of the bytes. */
  id: string
  /** By content, never by what the sender claims. */
  type: string
  bytes: number
}

export interface Files {
  /** Durable when resolved. Storing the same bytes again answers the same. */
  put(bytes: Uint8Array, type: string): Promise<StoredFile>
  /** Null when there is none, or its bytes no longer have that hash. */
  get(id: string): Promise<{ bytes: Uint8Array; type: string } | null>
  /** Whether there is such a file, without reading it. */
  has(id: string): Promise<boolean>
  remove(id: string): Promise<boolean>
  close(): Promise<void>
}

export const FILE_BYTES_MAX = 10 * 1024 * 1024

/** Anything else is no file's id, and never becomes part of a path. */
export const isFileId = (id: string): boolean => /^[0-9a-f]{64}$/.test(id)

/** Refuses with a RangeError what no product may keep. */
export const checkFile = (bytes: Uint8Array, type: string): void => {
  if (bytes.length === 0 || bytes.length > FILE_BYTES_MAX)
    throw new RangeError(`a file has 1 to ${FILE_BYTES_MAX} bytes`)
  if (!/^[a-z]+\/[a-z0-9.+-]{1,100}$/.test(type)) throw new RangeError('a file has a media type, such as image/png')
}
