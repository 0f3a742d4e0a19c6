import type { PredicatePlugin, Props, TransformationPlugin } from '@tributary/connect-api'
import type { PluginEntry } from '@tributary/connect-storage'
import {
  type ChainPlugins,
  createChain,
  PREDICATES,
  secretsOfChain,
  type TransformationStage,
  TRANSFORMATIONS,
} from '@tributary/transforms'

/** Transforms and predicates of a service's own, beside those that every worker has. */
export interface OwnTransforms {
  readonly transformations?: readonly TransformationPlugin[]
  readonly predicates?: readonly PredicatePlugin[]
}

/** Creates the chain that `transforms` names (see createChain). A class of the service's own goes before one of the same name. */
export function createTransformations(props: Props, own: OwnTransforms = {}): readonly TransformationStage[] {
  return createChain(props, pluginsOf(own))
}

/** See secretsOfChain. */
export function transformSecrets(props: Props, own: OwnTransforms = {}): string[] {
  return secretsOfChain(props, pluginsOf(own))
}

function pluginsOf(own: OwnTransforms): ChainPlugins {
  return {
    transformations: [...(own.transformations ?? []), ...TRANSFORMATIONS],
    predicates: [...(own.predicates ?? []), ...PREDICATES],
  }
}

/** The transforms and predicates of a worker as the plugins topic has them. `service`: whose own plugins these are. */
export function publishedTransforms(own: OwnTransforms, service: string): readonly PluginEntry[] {
  const entry =
    (of: string) =>
    ({ type, class: name, aliases = [], version, spec }: TransformationPlugin | PredicatePlugin): PluginEntry => {
      return { class: name, aliases, type, version, spec, service: of }
    }
  return [
    ...[...(own.transformations ?? []), ...(own.predicates ?? [])].map(entry(service)),
    ...[...TRANSFORMATIONS, ...PREDICATES].map(entry('*')),
  ]
}
