import type { Compute } from '../../ports/environment.ts';
import { zipArchive, type ZipEntry } from './zip-archive.ts';

/** How the objects of a CompressionFormat look. */
export interface Format {
  /** Of keys, as AWS delivers them (observed). */
  readonly ending: string;
  readonly contentEncoding?: string;
  /** Bytes that are held while one is made. */
  readonly holdsBytes: (compute: Compute) => number;
  readonly encode: (plain: AsyncIterable<Uint8Array>, compute: Compute, entry: ZipEntry) => AsyncIterable<Uint8Array>;
}

/** By AWS's names. */
const FORMATS: Readonly<Record<string, Format>> = {
  UNCOMPRESSED: { ending: '', holdsBytes: () => 0, encode: (plain) => plain },
  GZIP: {
    ending: '.gz',
    contentEncoding: 'gzip',
    holdsBytes: ({ gzipHoldsBytes }) => gzipHoldsBytes,
    encode: (plain, compute) => compute.gzip(plain),
  },
  ZIP: {
    ending: '.zip',
    contentEncoding: 'zip',
    holdsBytes: ({ gzipHoldsBytes }) => gzipHoldsBytes,
    encode: (plain, compute, entry) => zipArchive(compute.gzip(plain), entry),
  },
  Snappy: {
    ending: '.snappy',
    contentEncoding: 'snappy-java',
    holdsBytes: ({ snappyHoldsBytes }) => snappyHoldsBytes,
    encode: (plain, compute) => compute.snappy(plain, 'java'),
  },
  HADOOP_SNAPPY: {
    ending: '.snappy',
    contentEncoding: 'hadoop-snappy',
    holdsBytes: ({ snappyHoldsBytes }) => snappyHoldsBytes,
    encode: (plain, compute) => compute.snappy(plain, 'hadoop'),
  },
};

/** The format of a checked CompressionFormat; AWS's default is none. */
export function formatOf(name = 'UNCOMPRESSED'): Format {
  return FORMATS[name] as Format;
}
