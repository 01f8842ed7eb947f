import type { Binary } from 'bson';
import type { RealmPackages } from './packages.ts';

type Constructor = new (...values: never[]) => object;

/** `BSON` and `EJSON` as functions know them: classes may be called without `new`, and Binary has its old methods. */
export function bsonGlobals({ bson }: RealmPackages): { readonly BSON: object; readonly EJSON: object } {
  const members = Object.entries(bson).map(([name, value]) => {
    return [name, isClass(value) ? callable(value) : value] as const;
  });
  const BSON = Object.fromEntries(members) as Record<string, object>;
  BSON['Binary'] = callable(withOldForms(bson.Binary));
  return { BSON, EJSON: bson.EJSON };
}

/** The bytes as the Binary of functions, with the methods it had. */
export function binaryOf({ bson }: RealmPackages, bytes: Uint8Array): Binary {
  return new (withOldForms(bson.Binary))(bytes);
}

const METHODS: Readonly<Record<string, (this: Binary) => string>> = {
  text() {
    return bufferOf(this).toString();
  },
  toBase64() {
    return bufferOf(this).toString('base64');
  },
  toHex() {
    return bufferOf(this).toString('hex');
  },
};

/** Adds what the library's class does not have; the class itself stays the library's, so that its driver knows it. */
function withOldForms(binary: typeof Binary): typeof Binary {
  for (const [name, value] of Object.entries(METHODS)) {
    if (!(name in binary.prototype)) Object.defineProperty(binary.prototype, name, { value });
  }
  const add = (name: string, value: (text: string, subtype?: number) => Binary): void => {
    if (!(name in binary)) Object.defineProperty(binary, name, { value });
  };
  add('fromText', (text, subtype = 0) => new binary(Buffer.from(text), subtype));
  add('fromBase64', (text, subtype = 0) => new binary(Buffer.from(text, 'base64'), subtype));
  add('fromHex', (text, subtype = 0) => new binary(Buffer.from(text, 'hex'), subtype));
  return binary;
}

function bufferOf(binary: Binary): Buffer {
  return Buffer.from(binary.buffer.buffer, binary.buffer.byteOffset, binary.length());
}

function isClass(value: unknown): value is Constructor {
  return typeof value === 'function' && /^class\b/.test(Function.prototype.toString.call(value));
}

function callable<T extends Constructor>(type: T): T {
  return new Proxy(type, { apply: (target, _self, values) => Reflect.construct(target, values) as unknown });
}
