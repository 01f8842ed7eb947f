/** A value as it was read from CBOR, with prototypes: what is read has none. */
export function plainCbor(value: unknown): unknown {
  if (typeof value !== 'object' || value === null || Buffer.isBuffer(value)) return value;
  if (Array.isArray(value)) return value.map(plainCbor);
  const own = {};
  for (const [name, item] of Object.entries(value)) {
    const one = { value: plainCbor(item), enumerable: true, configurable: true, writable: true };
    Object.defineProperty(own, name, one);
  }
  return own;
}
