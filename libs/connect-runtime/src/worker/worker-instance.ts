import { mkdir, readFile, stat } from 'node:fs/promises'
import { join } from 'node:path'
import { FolderLock } from '@tributary/async'
import type { Logger } from '@tributary/telemetry'
import type { MemberMetadata } from '../assignment/group.ts'

/** `<StatefulSet>-<ordinal>`. Digits before the ordinal are refused too, as nodes are named after addresses (`ip-10-0-1-7`). */
const POD_OF_STATEFUL_SET = /(^|-)[^-]*[a-z][^-]*-(0|[1-9]\d*)$/

/**
 * The instance id of this process: the setting, else POD_NAME, else in Kubernetes a host name that looks like the name of a
 * StatefulSet's pod. null: the process is a new member at each start. Processes that share an id fence each other for good, and
 * with `hostNetwork` the host name is the node's, so a host name of any other form is not taken.
 */
export function instanceIdOf(setting: string | null, env: Readonly<Record<string, string | undefined>>): string | null {
  const { KUBERNETES_SERVICE_HOST: inPod, HOSTNAME: host = '', POD_NAME: pod } = env
  return setting ?? (pod || (inPod && POD_OF_STATEFUL_SET.test(host) ? host : null))
}

/**
 * The lock that a worker holds for as long as it lives, so that its successor under the same instance id knows that it
 * has ended. A successor that has the same lock need not wait: the kernel releases a lock when its owner dies, and not
 * before.
 */
export class WorkerInstance {
  readonly #lock: FolderLock
  /** Names the file of the lock as long as this kernel runs; the same name on another kernel is another file. */
  readonly #name: string

  private constructor(lock: FolderLock, name: string) {
    this.#lock = lock
    this.#name = name
  }

  /**
   * `key` names the worker within `dataDir`. null: the folder cannot tell, because another process has the lock, no file
   * can be written there, or this system does not name its kernel.
   */
  static async acquire(dataDir: string, key: string, log: Logger): Promise<WorkerInstance | null> {
    const folder = join(dataDir, FOLDER)
    const file = join(folder, encodeURIComponent(key))
    try {
      const boot = (await readFile('/proc/sys/kernel/random/boot_id', 'utf8')).trim()
      await mkdir(folder, { recursive: true })
      const lock = await FolderLock.acquire(file)
      if (lock === null) {
        log.warn('group_instance_in_use', { lock: `${file}.lock`, message: IN_USE })
        return null
      }
      const { dev, ino } = await stat(`${file}.lock`, { bigint: true })
      return new WorkerInstance(lock, `${boot}/${dev}/${ino}`)
    } catch (error) {
      log.info('group_instance_unlocked', { error })
      return null
    }
  }

  /** What this worker tells its successor. */
  get lock(): string {
    return this.#name
  }

  ended({ lock }: MemberMetadata): boolean {
    return lock === this.#name
  }

  release(): void {
    this.#lock.release()
  }
}

/** No connector's folder begins with a dot. */
const FOLDER = '.instances'
const IN_USE =
  'A running process has the same group.instance.id and data.dir. This one takes its place, and that one stops its tasks.'
