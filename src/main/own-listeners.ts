import { listenersOf } from '../compose/outgoing.ts';
import { plainUrl, type Address } from '../compose/serve.ts';
import type { OwnListener } from '../kernel/net/outgoing-rules.ts';

const USUAL_PORTS = { api: 4567, gateway: 4568 } as const;

/** The listeners of a node that is to listen there: a config is checked before it does. */
export function ownListeners(api: Address, gateway: Address): readonly OwnListener[] {
  return listenersOf({ api: plainUrl(api), gateway: plainUrl(gateway) });
}

/** Those of a node that is told nothing of them, as the command line has them. */
export function usualListeners(): readonly OwnListener[] {
  const host = '127.0.0.1';
  return ownListeners({ host, port: USUAL_PORTS.api }, { host, port: USUAL_PORTS.gateway });
}
