// Why a store could not be opened, as one line for the operator and a code for the caller.
// Between the engines and the command line.

export type StorageOpenCode =
  /** Another process (or this one) has the data open. */
  | 'EALREADYOPEN'
  /** The folder or a file in it cannot be made, read or written. */
  | 'EACCES'
  /** There is something at the path that is no store of ours, or one of a newer release. */
  | 'EFOREIGN'
  /** The store is damaged. */
  | 'ECORRUPT'
  /** No etcd server answers. */
  | 'EUNREACHABLE'

export class StorageOpenError extends Error {
  readonly code: StorageOpenCode

  constructor(code: StorageOpenCode, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause })
    this.name = 'StorageOpenError'
    this.code = code
  }
}
