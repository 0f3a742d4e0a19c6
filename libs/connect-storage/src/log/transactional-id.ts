/**
 * The transactional id of a task. The id is the same on every worker and in every generation, so that the start of a
 * task fences its predecessor (KIP-618). `group` is the service's group, `<cluster>-<service>`.
 */
export function taskTransactionalId(group: string, connector: string, task: number): string {
  return `${group}-${connector}-${task}`
}
