import { Defect } from '../errors.ts';
import { addressKind, type AddressKind } from './address-kind.ts';
import { isInRange, parseAddress, parseRange, type AddressBytes, type AddressRange } from './ip-address.ts';
import { parseUrl } from './parse-url.ts';

/** What requests to other servers are measured by. */
export interface OutgoingOptions {
  /** `start`: https and public addresses only; `dev`: loopback and http too. */
  readonly mode: 'dev' | 'start';
  /** Of the config: host names, addresses, ranges in CIDR notation. */
  readonly allow: readonly string[];
  /** The node's own listeners, which are always allowed. */
  readonly own: readonly OwnListener[];
}

/** A listener of the node. */
export interface OwnListener {
  /** `${api}` and `${gateway}` stand for these in URLs of the config. */
  readonly name: 'api' | 'gateway';
  /** Without a slash at the end. */
  readonly url: string;
}

/** Where a request goes, as its URL says. */
export interface UrlTarget {
  readonly isSecure: boolean;
  /** Without brackets and the dot at the end, lower case; an address in its usual form. */
  readonly host: string;
  readonly port: number;
}

/** A host name as DNS and systems take it; underscores are not for hosts, and are met. */
const HOST_NAME = /^(?=.{1,253}$)[a-z\d_]([a-z\d_-]*[a-z\d_])?(\.[a-z\d_]([a-z\d_-]*[a-z\d_])?)*\.?$/i;
/** What a host name in `allow` opens: where nobody's server is, or a cloud's own, only an address does. */
const OPENED_BY_NAME: ReadonlySet<AddressKind> = new Set(['public', 'loopback', 'private']);
const HINT = 'outgoing.allow can list it';

/** Why a text is no entry of `outgoing.allow`, in a few words; undefined when it is one. */
export function allowProblem(entry: string): string | undefined {
  if (parseRange(entry) !== undefined) return undefined;
  // A name never ends in a number: what looks so was meant as an address.
  const isName = HOST_NAME.test(entry) && !/(^|\.)(\d+|0x[\da-f]*)$/i.test(entry);
  return isName ? undefined : 'is neither a host name nor an address nor a range such as 10.0.0.0/8';
}

/**
 * Where the URL leads; a sentence when it is none to ask. All forms that URLs have for an address come out as one:
 * `http://0x7f.1`, `http://2130706433` and `http://127.0.0.1.` are 127.0.0.1.
 */
export function urlTarget(url: string): UrlTarget | string {
  const parsed = parseUrl(url);
  if (parsed === undefined) return 'is not an absolute URL';
  const { protocol, hostname, port, username, password } = parsed;
  const isSecure = protocol === 'https:';
  if (!isSecure && protocol !== 'http:') return 'is neither https nor http';
  if (username !== '' || password !== '') return 'holds a user name or a password, which belong into headers';
  const host = hostname.replace(/^\[(.*)\]$/, '$1').replace(/\.$/, '');
  if (parseAddress(host) === undefined && !HOST_NAME.test(host)) return 'names no host';
  return { isSecure, host, port: port === '' ? (isSecure ? 443 : 80) : Number(port) };
}

/** The rules of the section `outgoing`; entries that are none open nothing. */
export class OutgoingRules {
  readonly #mode: OutgoingOptions['mode'];
  readonly #names: ReadonlySet<string>;
  readonly #ranges: readonly AddressRange[];
  readonly #own: readonly (OwnListener & { readonly address: AddressBytes | undefined; readonly port: number })[];

  constructor({ mode, allow, own }: OutgoingOptions) {
    this.#mode = mode;
    this.#names = new Set(allow.map((entry) => entry.toLowerCase().replace(/\.$/, '')));
    this.#ranges = allow.flatMap((entry) => parseRange(entry) ?? []);
    this.#own = own.map((listener) => {
      const target = urlTarget(listener.url);
      if (typeof target === 'string') throw new Defect(`a listener whose URL ${target}`);
      return { ...listener, address: parseAddress(target.host), port: target.port };
    });
  }

  /** The URL with the node's own in place of what stands for them. */
  resolved(url: string): string {
    return this.#own.reduce((text, { name, url: own }) => text.replace(`\${${name}}`, () => own), url);
  }

  /** Why the URL can never be asked for, in a sentence that names it; what its name resolves to is not known here. */
  urlProblem(given: string): string | undefined {
    const url = this.resolved(given);
    const target = urlTarget(url);
    if (typeof target === 'string') return `${shown(url)} ${target}`;
    const { host } = target;
    const isLocal = host === 'localhost' || host.endsWith('.localhost');
    const literal = parseAddress(host) === undefined ? undefined : host;
    const address = literal ?? (isLocal && !this.#names.has(host) ? '127.0.0.1' : undefined);
    if (address !== undefined) return this.addressProblem(target, address);
    const isOpen =
      this.#names.has(host) || this.#ranges.length > 0 || this.#own.some(({ port }) => port === target.port);
    return target.isSecure || this.#mode === 'dev' || isOpen ? undefined : `${shown(url)} is not https; ${HINT}`;
  }

  /** Why this address of the target is not connected to, in a sentence; undefined when it may be. */
  addressProblem({ isSecure, host, port }: UrlTarget, address: string): string | undefined {
    const bytes = parseAddress(address);
    if (bytes === undefined) return `${host} has an address that is none: ${address}`;
    const kind = addressKind(bytes);
    const isListed =
      this.#ranges.some((range) => isInRange(bytes, range)) || (this.#names.has(host) && OPENED_BY_NAME.has(kind));
    if (isListed || this.#isOwn(bytes, kind, port)) return undefined;
    const name = host === address ? address : `${host} has the address ${address}, which`;
    if (kind !== 'public' && !(kind === 'loopback' && this.#mode === 'dev')) {
      return `${name} is ${said(kind)}; ${HINT}`;
    }
    return isSecure || this.#mode === 'dev' ? undefined : `${host} is asked without https; ${HINT}`;
  }

  #isOwn(bytes: AddressBytes, kind: AddressKind, port: number): boolean {
    return this.#own.some((own) => {
      const isSame =
        own.address !== undefined && isInRange(bytes, { bytes: own.address, bits: own.address.length * 8 });
      return own.port === port && (kind === 'loopback' || isSame);
    });
  }
}

function said(kind: AddressKind): string {
  if (kind === 'metadata') return 'where a cloud answers with credentials';
  return kind === 'reserved' || kind === 'unspecified' ? "nobody's" : kind;
}

/** Without what may be a secret. */
function shown(url: string): string {
  const parsed = parseUrl(url);
  return parsed === undefined ? 'the URL' : `${parsed.protocol}//${parsed.host}`;
}
