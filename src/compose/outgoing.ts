import type { OutgoingSection } from '../config/index.ts';
import { OutgoingRules, type OutgoingOptions, type OwnListener } from '../kernel/net/outgoing-rules.ts';
import type { GovernedHttpClient } from '../ports/http-client.ts';

/** Gives a node's requests to other servers their rules: the section of the file, and the node's own listeners. */
export class OutgoingAccess {
  readonly #http: GovernedHttpClient;
  readonly #mode: OutgoingOptions['mode'];
  #section: OutgoingSection;
  #own: readonly OwnListener[];

  /** `own`: where listeners will be, with a port 0 where the system is to choose. */
  constructor(http: GovernedHttpClient, mode: OutgoingOptions['mode'], section: OutgoingSection, own: OwnUrls) {
    this.#http = http;
    this.#mode = mode;
    this.#section = section;
    this.#own = listenersOf(own);
    this.#use();
  }

  /** The listeners answer at these URLs. */
  opened(own: OwnUrls): void {
    this.#own = listenersOf(own);
    this.#use();
  }

  /** The section has changed. */
  reload(section: OutgoingSection): void {
    this.#section = section;
    this.#use();
  }

  #use(): void {
    const { allow = [] } = this.#section;
    this.#http.use(new OutgoingRules({ mode: this.#mode, allow, own: this.#own }));
  }
}

/** URLs of the node's own listeners. */
export interface OwnUrls {
  readonly api: string;
  readonly gateway: string;
}

/** The node's own listeners at these URLs. */
export function listenersOf({ api, gateway }: OwnUrls): readonly OwnListener[] {
  return [
    { name: 'api', url: api },
    { name: 'gateway', url: gateway },
  ];
}
