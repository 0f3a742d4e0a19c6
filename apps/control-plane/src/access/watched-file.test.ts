import { silentLog } from '@tributary/telemetry/testing'
import assert from 'node:assert/strict'
import { mkdtemp, rename, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { test, type TestContext } from 'node:test'
import { GrantsFile } from './grants-file.ts'
import { WatchedFile } from './watched-file.ts'

async function folder(t: TestContext): Promise<string> {
  const path = await mkdtemp(join(tmpdir(), 'access-'))
  t.after(() => rm(path, { recursive: true }))
  return path
}

async function watched(t: TestContext) {
  const path = join(await folder(t), 'grants.properties')
  await writeFile(path, 'user.alice=viewer')
  const clock = { ms: 0 }
  const file = await WatchedFile.open({
    setting: 'access.grants.file',
    path,
    parse: (text) => GrantsFile.parse(text),
    log: silentLog,
    now: () => clock.ms,
  })
  const roleOfAlice = async (): Promise<string | undefined> => {
    clock.ms += 1000
    return (await file.current()).of('user', ['alice'])[0]?.role
  }
  return { path, clock, file, roleOfAlice }
}

test('a file is read again within a second of its change, also when another takes its place', async (t) => {
  const { path, clock, file, roleOfAlice } = await watched(t)
  await writeFile(path, 'user.alice=operator')
  clock.ms += 999
  assert.equal((await file.current()).of('user', ['alice'])[0]?.role, 'viewer')
  assert.equal(await roleOfAlice(), 'operator')
  await writeFile(`${path}.new`, 'user.alice=admin')
  await rename(`${path}.new`, path)
  assert.equal(await roleOfAlice(), 'admin')
})

test('what was read last counts while the file is gone, too large or wrong', async (t) => {
  const { path, roleOfAlice } = await watched(t)
  for (const wrong of ['user.alice=root', '#'.repeat(1024 * 1024 + 1)]) {
    await writeFile(path, wrong)
    assert.equal(await roleOfAlice(), 'viewer')
  }
  await rm(path)
  assert.equal(await roleOfAlice(), 'viewer')
  await writeFile(path, 'user.bob=viewer')
  assert.equal(await roleOfAlice(), undefined)
})

test('a start names the setting when the file is missing, wrong or a device', async (t) => {
  const path = join(await folder(t), 'users')
  await writeFile(path, 'user.alice=root')
  const open = (file: string): Promise<unknown> =>
    WatchedFile.open({
      setting: 'access.grants.file',
      path: file,
      parse: (text) => GrantsFile.parse(text),
      log: silentLog,
    })
  await assert.rejects(open(path), /configuration access\.grants\.file: user\.alice: .*"root" is no role/)
  await assert.rejects(open(`${path}.none`), /access\.grants\.file: ENOENT/)
  await assert.rejects(open('/dev/zero'), /access\.grants\.file: it is no regular file/)
})
