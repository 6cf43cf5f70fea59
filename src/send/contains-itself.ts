// Whether a value has no end: an alias in YAML may stand for the mapping or list that it lies in.

/** Whether an object lies in itself, however deep. */
export function containsItself(value: unknown): boolean {
  const around = new Set<object>();
  const finite = new Set<object>();
  const visit = (one: unknown): boolean => {
    if (typeof one !== "object" || one === null || finite.has(one)) return false;
    if (around.has(one)) return true;
    around.add(one);
    const found = Object.values(one).some(visit);
    around.delete(one);
    finite.add(one);
    return found;
  };
  return visit(value);
}
