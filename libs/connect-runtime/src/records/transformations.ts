import { type Props, type Transformation } from '@tributary/connect-api'
import { runtimeErrors } from '../errors.ts'

/** Creates the chain that `transforms` names. Throws for any name, since no transformation is built in yet. */
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
