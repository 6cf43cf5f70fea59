// The bits of floats, for the generated encoders. Little-endian, as the records are.
const double = new Float64Array(1);
const single = new Float32Array(1);
const doubleBits = new Int32Array(double.buffer);
const singleBits = new Int32Array(single.buffer);

/** The bits of the single float nearest to a double given in two halves. */
export function toSingle(high: number, low: number): number {
  doubleBits[1] = high;
  doubleBits[0] = low;
  single[0] = double[0];
  return singleBits[0];
}

/** The low half of a single float as a double; `doubleHigh` right after gives the high half. */
export function toDouble(bits: number): number {
  singleBits[0] = bits;
  double[0] = single[0];
  return doubleBits[0];
}

/** The high half of what `toDouble` converted last. */
export function doubleHigh(): number {
  return doubleBits[1];
}
