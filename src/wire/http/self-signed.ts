import { createHash, generateKeyPairSync, sign, type X509Certificate } from 'node:crypto';
import { isIP } from 'node:net';
import type { Random } from '../../ports/environment.ts';
import type { Certificate } from './certificate.ts';
import { bits, boolean, element, identifier, integer, octets, sequence, set, time, utf8 } from './der.ts';

/** What a certificate is made of. */
export interface SelfSignedOptions {
  /** Names and addresses of the server. */
  readonly hosts: readonly string[];
  /** Wall time in ms. */
  readonly from: number;
  readonly until: number;
}

/** Whether a certificate can name it: a name in lower case, or an address of its own. */
export function canBeNamed(host: string): boolean {
  if (host === '0.0.0.0' || host === '::') return false;
  return isIP(host) !== 0 || /^[a-z\d_-]+(?:\.[a-z\d_-]+)*$/.test(host);
}

/** Whether the certificate names the host, which `canBeNamed`. */
export function isNamed(certificate: X509Certificate, host: string): boolean {
  if (isIP(host) !== 0) return certificate.checkIP(host) !== undefined;
  return certificate.subjectAltName?.split(', ').includes(`DNS:${host}`) ?? false;
}

const ECDSA_SHA256 = sequence(identifier('1.2.840.10045.4.3.2'));
const COMMON_NAME = identifier('2.5.4.3');
const SERIAL_BYTES = 16;
const DNS_NAME = 0x82;
const IP_ADDRESS = 0x87;
const PEM_COLUMNS = 64;

/**
 * A new P-256 key and a certificate that it signed itself (RFC 5280): for a server, of no authority, so that who trusts
 * it trusts this server and nothing else.
 */
export function makeSelfSigned({ hosts, from, until }: SelfSignedOptions, random: Random): Certificate {
  const { publicKey, privateKey } = generateKeyPairSync('ec', { namedCurve: 'P-256' });
  const spki = publicKey.export({ type: 'spki', format: 'der' });
  const name = sequence(set(sequence(COMMON_NAME, utf8('millrace'))));
  const body = sequence(
    element(0xa0, integer(Buffer.from([2]))),
    integer(positive(random.bytes(SERIAL_BYTES))),
    ECDSA_SHA256,
    name,
    sequence(time(from), time(until)),
    name,
    spki,
    element(0xa3, extensions(hosts, spki)),
  );
  const signature = sign('sha256', body, privateKey);
  const cert = sequence(body, ECDSA_SHA256, bits(signature));
  return { cert: pem('CERTIFICATE', cert), key: privateKey.export({ type: 'pkcs8', format: 'pem' }) as string };
}

function extensions(hosts: readonly string[], spki: Uint8Array): Uint8Array {
  const keyId = createHash('sha1').update(spki).digest();
  return sequence(
    extension('2.5.29.19', true, sequence()),
    // digitalSignature
    extension('2.5.29.15', true, bits(Buffer.from([0x80]), 7)),
    // serverAuth
    extension('2.5.29.37', false, sequence(identifier('1.3.6.1.5.5.7.3.1'))),
    extension('2.5.29.17', false, sequence(...hosts.map(generalName))),
    extension('2.5.29.14', false, octets(keyId)),
    extension('2.5.29.35', false, sequence(element(0x80, keyId))),
  );
}

function extension(id: string, isCritical: boolean, value: Uint8Array): Uint8Array {
  return sequence(identifier(id), ...(isCritical ? [boolean(true)] : []), octets(value));
}

function generalName(host: string): Uint8Array {
  const version = isIP(host);
  if (version === 0) return element(DNS_NAME, Buffer.from(host.toLowerCase(), 'latin1'));
  return element(IP_ADDRESS, version === 4 ? Buffer.from(host.split('.').map(Number)) : ipv6Bytes(host));
}

/** The sixteen bytes of an IPv6 address that was checked. */
function ipv6Bytes(address: string): Uint8Array {
  const [head = '', tail] = address.split('%')[0]?.split('::') ?? [];
  const before = groups(head);
  const after = tail === undefined ? [] : groups(tail);
  const zeros = Array.from({ length: Math.max(0, 8 - before.length - after.length) }, () => 0);
  return Buffer.from([...before, ...zeros, ...after].flatMap((group) => [group >> 8, group & 0xff]));
}

function groups(text: string): number[] {
  if (text === '') return [];
  return text.split(':').flatMap((part) => {
    if (!part.includes('.')) return [Number.parseInt(part, 16)];
    const [a = 0, b = 0, c = 0, d = 0] = part.split('.').map(Number);
    return [a * 256 + b, c * 256 + d];
  });
}

/** A serial number is positive and not zero. */
function positive(bytes: Uint8Array): Uint8Array {
  const copy = Uint8Array.from(bytes);
  copy[0] = ((copy[0] ?? 0) & 0x7f) | 0x40;
  return copy;
}

function pem(label: string, der: Uint8Array): string {
  const lines =
    Buffer.from(der)
      .toString('base64')
      .match(new RegExp(`.{1,${PEM_COLUMNS}}`, 'g')) ?? [];
  return `-----BEGIN ${label}-----\n${lines.join('\n')}\n-----END ${label}-----\n`;
}
