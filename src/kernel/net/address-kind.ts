import { isInRange, parseRange, type AddressBytes, type AddressRange } from './ip-address.ts';

/** What an address stands for; only `public` ones are somebody else's machine on the internet. */
export type AddressKind =
  | 'public'
  | 'loopback'
  | 'private'
  | 'link-local'
  | 'metadata'
  | 'unspecified'
  | 'multicast'
  | 'reserved';

/**
 * The special ranges of IANA's registries of both versions, the first that fits; site-local addresses, which are no
 * longer used; and where clouds answer with a machine's own credentials, which not all of them do at a link-local
 * address.
 */
const KINDS: readonly (readonly [kind: AddressKind, ...ranges: readonly string[]])[] = [
  ['metadata', '169.254.169.254', '169.254.170.2', '169.254.170.23', '168.63.129.16', '100.100.100.200', '192.0.0.192'],
  ['metadata', 'fd00:ec2::254', 'fd00:ec2::23', 'fd20:ce::254'],
  ['unspecified', '0.0.0.0/8', '::'],
  ['loopback', '127.0.0.0/8', '::1'],
  ['private', '10.0.0.0/8', '172.16.0.0/12', '192.168.0.0/16', '100.64.0.0/10', 'fc00::/7', 'fec0::/10'],
  ['link-local', '169.254.0.0/16', 'fe80::/10'],
  ['multicast', '224.0.0.0/4', 'ff00::/8'],
  ['reserved', '192.0.0.0/24', '192.0.2.0/24', '192.88.99.0/24', '198.18.0.0/15', '198.51.100.0/24', '203.0.113.0/24'],
  ['reserved', '240.0.0.0/4'],
  ['reserved', '2001::/23', '2001:db8::/32', '3fff::/20'],
];

/** Of IPv6 nothing else is given to anybody. */
const GLOBAL_UNICAST = rangeOf('2000::/3');

/** IPv6 addresses that carry an IPv4 one, and where: what they lead to is that one. */
const CARRIERS: readonly (readonly [range: AddressRange, at: number])[] = [
  [rangeOf('::/96'), 12],
  [rangeOf('::ffff:0:0:0/96'), 12],
  [rangeOf('64:ff9b::/96'), 12],
  [rangeOf('2002::/16'), 2],
];

const TABLE = KINDS.flatMap(([kind, ...ranges]) => ranges.map((range) => [kind, rangeOf(range)] as const));

/** What the address stands for; of one that carries another one, what that one stands for. */
export function addressKind(address: AddressBytes): AddressKind {
  const found = TABLE.find(([, range]) => isInRange(address, range));
  if (found !== undefined) return found[0];
  const carrier = CARRIERS.find(([range]) => isInRange(address, range));
  if (carrier !== undefined) return addressKind(address.subarray(carrier[1], carrier[1] + 4));
  return address.length === 4 || isInRange(address, GLOBAL_UNICAST) ? 'public' : 'reserved';
}

function rangeOf(text: string): AddressRange {
  return parseRange(text) as AddressRange;
}
