import { PUT } from './json-value.ts'
import { output } from './json-output.ts'
const vals = [0n,1n,127n,128n,2n**28n,2n**31n,2n**32n,2n**53n-1n,2n**53n,2n**56n,2n**60n,2n**62n,2n**63n,2n**64n-1n,0xC000000000000000n, 1700000000000n]
function enc(v: bigint) { const o=[]; do { o.push(Number(v&127n)|128); v>>=7n } while (v>0n); o.push(o.pop()!&127); return Buffer.from(o) }
const encs = vals.map(enc)
let bad = 0
for (let r=0;r<200000;r++) { const i = r % vals.length; const e = PUT.uint64!(encs[i]!, 0, 0); const s = output.buf.toString('latin1',1,e-1); if (s !== String(vals[i])) { if (bad++ < 5) console.log(r, vals[i], s) } }
console.log('bad', bad)
