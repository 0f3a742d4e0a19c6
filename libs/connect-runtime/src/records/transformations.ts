import { type Props, type Transformation } from '@tributary/connect-api'
import { runtimeErrors } from '../errors.ts'

/** The chain that `transforms` names. None is built in yet, so that a name is a clear error and not a silent omission. */
export function createTransformations(props: Props): readonly Transformation[] {
  const names = (props['transforms'] ?? '')
    .split(',')
    .map((name) => name.trim())
    .filter((name) => name !== '')
  if (names.length === 0) return []
  const className = props[`transforms.${names[0]}.type`] ?? names[0]
  throw runtimeErrors.TRANSFORMATION_UNKNOWN(
    `Invalid value ${className} for configuration transforms.${names[0]}.type: Class ${className} could not be found. This version has no single message transforms`,
    { field: 'transforms' },
  )
}
