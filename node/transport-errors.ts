// From the transport's errors to the public catalogue.

import {
  BadInputError,
  DataDirectoryError,
  IncompatibleVersionError,
  JoinFailedError,
  PortInUseError,
  WrongSecretError,
} from './errors.ts'
import { TransportError } from './transport/index.ts'

/** The public error for whatever was thrown while a node was put together. */
export function meshErrorOf(error: unknown): unknown {
  if (!(error instanceof TransportError)) return error
  const options = { cause: error }
  switch (error.code) {
    case 'PORT_IN_USE':
      return new PortInUseError(error.message, options)
    case 'WRONG_SECRET':
      return new WrongSecretError(error.message, options)
    case 'OTHER_MESH':
      return new DataDirectoryError('DATA_DIR_OTHER_MESH', error.message, options)
    case 'IDENTITY_UNREADABLE':
    case 'SECRET_UNREADABLE':
      return new DataDirectoryError('DATA_DIR_UNREADABLE', error.message, options)
    case 'BAD_ADDRESS':
    case 'BAD_INVITE':
    case 'BAD_SECRET':
      return new BadInputError(error.message, options)
    case 'INCOMPATIBLE_VERSION':
      return new IncompatibleVersionError(error.message, options)
    case 'NOT_A_MESH_PEER':
    case 'UNREACHABLE':
    case 'STOPPED':
      return new JoinFailedError(error.message, options)
  }
}
