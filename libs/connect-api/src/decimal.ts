/** A decimal number of any size: `unscaled` × 10^-`scale`, as Java's BigDecimal. `scale` is an integer and may be negative. */
export class Decimal {
  readonly unscaled: bigint
  readonly scale: number

  constructor(unscaled: bigint, scale: number) {
    this.unscaled = unscaled
    this.scale = scale
  }

  /** Without an exponent, as BigDecimal.toPlainString. */
  toString(): string {
    const { unscaled, scale } = this
    if (scale <= 0) return unscaled === 0n ? '0' : `${unscaled}${'0'.repeat(-scale)}`
    const sign = unscaled < 0n ? '-' : ''
    const digits = String(unscaled < 0n ? -unscaled : unscaled).padStart(scale + 1, '0')
    return `${sign}${digits.slice(0, -scale)}.${digits.slice(-scale)}`
  }
}
