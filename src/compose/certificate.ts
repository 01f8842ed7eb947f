import { createPrivateKey, X509Certificate } from 'node:crypto';
import { EnvironmentError, RequestError, messageOf } from '../kernel/errors.ts';
import { parentOf } from '../kernel/paths.ts';
import type { Environment, Files } from '../ports/environment.ts';
import type { Certificate } from '../wire/http/certificate.ts';
import { canBeNamed, isNamed, makeSelfSigned } from '../wire/http/self-signed.ts';
import { publicRoots } from '../wire/http/tls-door.ts';

/** Files of a certificate that somebody else made; absolute paths, PEM. */
export interface NamedCertificate {
  readonly cert: string;
  readonly key: string;
}

/** What is wrong with the files that the config names. */
export interface CertificateProblem {
  /** The word below `server.tls` that names the file. */
  readonly word: keyof NamedCertificate;
  readonly message: string;
}

/** What a node's certificate is made of. */
export interface CertificateOptions {
  /** Absolute path; claimed. */
  readonly dataDirectory: string;
  /** Names of the server beside localhost and the loopback addresses. */
  readonly hosts: readonly string[];
  /** Absent: one that the node makes itself. */
  readonly named: NamedCertificate | undefined;
}

/** The certificate of a node. */
export interface NodeCertificate {
  readonly current: Certificate;
  /** What a client has to trust. */
  readonly file: string;
  /** That, and with it the authorities that everybody trusts. */
  readonly bundle: string | undefined;
  /** Looks for another one from time to time, and now when `look` is called; `show` takes it over, or throws. */
  watch(show: (certificate: Certificate) => void): { look(): Promise<void>; stop(): void };
}

const DAY_MS = 86_400_000;
/** Some clients refuse certificates of more than 398 days. */
const VALID_MS = 365 * DAY_MS;
const RENEW_MS = 30 * DAY_MS;
/** Clocks differ. */
const BEFORE_MS = DAY_MS;
const LOOK_MS = 60_000;
const ALWAYS = ['localhost', '127.0.0.1', '::1'];

/**
 * The certificate of a node: the files that the config names, or one that the node makes itself, keeps in its data
 * directory, and replaces 30 days before its end. Rejects with RequestError `InvalidConfig` when the named files are no
 * certificate and its key.
 */
export async function openCertificate(options: CertificateOptions, environment: Environment): Promise<NodeCertificate> {
  const { named, dataDirectory } = options;
  const folder = `${dataDirectory}/tls`;
  const files = named ?? { cert: `${folder}/certificate.pem`, key: `${folder}/key.pem` };
  const read = async (): Promise<Certificate> =>
    named === undefined ? await own(options.hosts, folder, environment) : await readNamed(named, environment);
  const opened = await read();
  return {
    current: opened,
    file: files.cert,
    bundle: named === undefined ? `${folder}/bundle.pem` : undefined,
    watch: (show) => watch(opened, read, show, environment),
  };
}

function watch(
  opened: Certificate,
  read: () => Promise<Certificate>,
  show: (certificate: Certificate) => void,
  { clock, log }: Environment,
): ReturnType<NodeCertificate['watch']> {
  let shown = opened;
  let refused = '';
  let isStopped = false;
  let cancel = (): void => undefined;
  const look = async (): Promise<void> => {
    try {
      const found = await read();
      refused = '';
      if (isStopped || (found.cert === shown.cert && found.key === shown.key)) return;
      show(found);
      shown = found;
      log.info('tls.certificate-changed', { until: new X509Certificate(found.cert).validTo });
    } catch (error) {
      const message = messageOf(error);
      // Two files are not replaced in one step, so a first look may find halves of two; it is told once.
      if (message !== refused) log.warn('tls.certificate-refused', { message });
      refused = message;
    }
  };
  const again = (): void => {
    cancel = clock.timer(LOOK_MS, () => void look().then(() => (isStopped ? undefined : again())));
  };
  again();
  return {
    look,
    stop: () => {
      isStopped = true;
      cancel();
    },
  };
}

async function readNamed(named: NamedCertificate, { files }: Environment): Promise<Certificate> {
  const read = await namedOrProblem(named, files);
  if (!('word' in read)) return read;
  throw new RequestError('InvalidConfig', `server.tls.${read.word}: ${read.message}`);
}

/** Why the files of `server.tls` cannot be shown, and which of the two it is; undefined when they can. */
export async function certificateProblem(
  named: NamedCertificate,
  files: Pick<Files, 'readFile'>,
): Promise<CertificateProblem | undefined> {
  const read = await namedOrProblem(named, files);
  return 'word' in read ? read : undefined;
}

async function namedOrProblem(
  named: NamedCertificate,
  files: Pick<Files, 'readFile'>,
): Promise<Certificate | CertificateProblem> {
  const found = { cert: '', key: '' };
  for (const word of ['cert', 'key'] as const) {
    try {
      found[word] = new TextDecoder().decode(await files.readFile(named[word]));
    } catch (error) {
      return { word, message: error instanceof Error ? error.message : named[word] };
    }
  }
  return problemOf(found) ?? found;
}

/** Why it cannot be shown; never quotes the key. */
function problemOf({ cert, key }: Certificate): CertificateProblem | undefined {
  let read: X509Certificate;
  try {
    read = new X509Certificate(cert);
  } catch {
    return { word: 'cert', message: 'not a certificate in PEM' };
  }
  try {
    const isPair = read.checkPrivateKey(createPrivateKey(key));
    return isPair ? undefined : { word: 'key', message: 'not the key of the certificate' };
  } catch {
    return { word: 'key', message: 'not a private key in PEM without a passphrase' };
  }
}

/** The one that is kept, as long as it is fit; else a new one. */
async function own(hosts: readonly string[], folder: string, environment: Environment): Promise<Certificate> {
  const names = [...new Set([...ALWAYS, ...hosts.map((host) => host.toLowerCase()).filter(canBeNamed)])];
  const now = environment.clock.now();
  const kept = await readKept(folder, environment);
  if (kept !== undefined && problemOf(kept) === undefined && isFit(kept, names, now)) return kept;
  const made = makeSelfSigned({ hosts: names, from: now - BEFORE_MS, until: now + VALID_MS }, environment.random);
  try {
    await keepAll(made, folder, environment);
  } catch (error) {
    if (!(error instanceof EnvironmentError) || error.code !== 'ENOSPC') throw error;
    // A full disk is no reason not to start: the next start makes another one.
    environment.log.warn('tls.certificate-not-kept', { message: error.message });
  }
  return made;
}

/** The key first: one that does not fit its certificate is made anew with it. */
async function keepAll({ cert, key }: Certificate, folder: string, environment: Environment): Promise<void> {
  await environment.files.makeDirectory(folder);
  await keep(`${folder}/key.pem`, key, environment);
  await keep(`${folder}/certificate.pem`, cert, environment);
  await keep(`${folder}/bundle.pem`, [cert, ...publicRoots].join('\n'), environment);
  await environment.files.syncDirectory(folder);
  await environment.files.syncDirectory(parentOf(folder));
}

async function readKept(folder: string, { files }: Environment): Promise<Certificate | undefined> {
  const names = await files.list(folder);
  if (!['certificate.pem', 'key.pem', 'bundle.pem'].every((name) => names.includes(name))) return undefined;
  const text = async (name: string): Promise<string> =>
    new TextDecoder().decode(await files.readFile(`${folder}/${name}`));
  try {
    return { cert: await text('certificate.pem'), key: await text('key.pem') };
  } catch (error) {
    // Taken away meanwhile.
    if (error instanceof EnvironmentError && error.code === 'ENOENT') return undefined;
    throw error;
  }
}

function isFit({ cert }: Certificate, names: readonly string[], now: number): boolean {
  const read = new X509Certificate(cert);
  if (Date.parse(read.validTo) < now + RENEW_MS || Date.parse(read.validFrom) > now) return false;
  return names.every((name) => isNamed(read, name));
}

/** Whole or not at all; readable by the owner only, as every file of the data directory. */
async function keep(path: string, text: string, { files, random }: Environment): Promise<void> {
  const fresh = `${path}.${random.uuid()}`;
  const file = await files.open(fresh, 'create');
  try {
    await file.write(new TextEncoder().encode(text), 0);
    await file.sync();
  } finally {
    await file.close();
  }
  await files.rename(fresh, path);
}
