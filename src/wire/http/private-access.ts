import { isIP } from 'node:net';

/** Who may talk to a listener that is not for the public. */
export interface PrivateAccess {
  /** Further host names it answers to. */
  readonly hosts: readonly string[];
  /** Origins (`https://name`) of pages that may call it. */
  readonly origins: readonly string[];
}

/** What the headers of a request say about where it comes from. */
export interface Caller {
  readonly host: string | undefined;
  readonly origin: string | undefined;
}

/**
 * Why the request is refused, or undefined. A page of a foreign site, and a foreign name that resolves to this machine,
 * must not reach an api that trusts its network: Host and Origin are the two things a browser does not let it choose.
 */
export function refusesCaller(caller: Caller, listenHost: string, access: PrivateAccess): string | undefined {
  const name = hostName(caller.host);
  if (name === undefined || !isOwnName(name, listenHost, access.hosts)) {
    return `this listener does not answer to the host ${JSON.stringify(caller.host ?? '')}; add it to server.hosts`;
  }
  if (caller.origin === undefined || access.origins.includes(caller.origin)) return undefined;
  if (isSameOrigin(caller.origin, caller.host)) return undefined;
  return `the origin ${JSON.stringify(caller.origin)} may not call this listener; add it to server.cors`;
}

function isSameOrigin(origin: string, host: string | undefined): boolean {
  const named = /^https?:\/\/([^/]+)$/i.exec(origin)?.[1];
  return named !== undefined && named.toLowerCase() === host?.toLowerCase();
}

/** The host without its port and brackets, in lower case. */
function hostName(host: string | undefined): string | undefined {
  return /^(?:\[([^\]]+)\]|([^:[\]]+))(?::\d{1,5})?$/
    .exec(host ?? '')
    ?.slice(1)
    .find(Boolean)
    ?.toLowerCase();
}

function isOwnName(name: string, listenHost: string, hosts: readonly string[]): boolean {
  if (name === listenHost.toLowerCase() || hosts.some((host) => host.toLowerCase() === name)) return true;
  const isWildcard = listenHost === '0.0.0.0' || listenHost === '::' || listenHost === '';
  // No page can be served under an address it does not own: only names can be made to point here.
  if (isWildcard && isIP(name) !== 0) return true;
  const isLoopback = isWildcard || isLoopbackHost(listenHost);
  return isLoopback && (isLoopbackHost(name) || name.endsWith('.localhost'));
}

/** Whether a listen address, or a name, stays on this machine. */
export function isLoopbackHost(host: string): boolean {
  return host === 'localhost' || host === '::1' || (isIP(host) === 4 && host.startsWith('127.'));
}
