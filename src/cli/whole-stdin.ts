import type { CliContext } from './context.ts';

/** All bytes of stdin, to its end. */
export async function wholeStdin({ stdin }: Pick<CliContext, 'stdin'>): Promise<Buffer> {
  const pieces: Buffer[] = [];
  for await (const piece of stdin) pieces.push(Buffer.from(piece as Uint8Array));
  return Buffer.concat(pieces);
}
