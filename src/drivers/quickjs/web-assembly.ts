/** A compiled module; may be handed to other threads. */
export interface WasmModule {
  readonly [Symbol.toStringTag]?: string;
}

/** Memory of a running module; it grows up to its bound, and never shrinks. */
export interface WasmMemory {
  readonly buffer: ArrayBuffer;
}

interface WebAssembly {
  compile(bytes: Uint8Array): Promise<WasmModule>;
  /** Sizes are pages of 64 KiB. */
  readonly Memory: new (size: { readonly initial: number; readonly maximum: number }) => WasmMemory;
}

/** What of the platform's WebAssembly is used; undefined when the platform was told not to make code (`--jitless`). */
export function webAssembly(): WebAssembly | undefined {
  return (globalThis as { readonly WebAssembly?: WebAssembly }).WebAssembly;
}
