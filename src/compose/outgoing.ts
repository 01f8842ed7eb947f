import type { OutgoingSection } from '../config/index.ts';
import { Defect } from '../kernel/errors.ts';
import { OutgoingRules, urlTarget, type OutgoingOptions } from '../kernel/net/outgoing-rules.ts';
import type { GovernedHttpClient } from '../ports/http-client.ts';

type Own = OutgoingOptions['own'];

/** Gives a node's requests to other servers their rules: the section of the file, and the node's own listeners. */
export class OutgoingAccess {
  readonly #http: GovernedHttpClient;
  readonly #mode: OutgoingOptions['mode'];
  #section: OutgoingSection;
  #own: Own;

  /** `own`: where listeners will be; a port 0 is not known before they are. */
  constructor(http: GovernedHttpClient, mode: OutgoingOptions['mode'], section: OutgoingSection = {}, own: Own = []) {
    this.#http = http;
    this.#mode = mode;
    this.#section = section;
    this.#own = own;
    this.#use();
  }

  /** The listeners answer at these URLs. */
  opened(urls: readonly string[]): void {
    this.#own = urls.map((url) => {
      const target = urlTarget(url);
      if (typeof target === 'string') throw new Defect(`a listener whose URL ${target}`);
      return target;
    });
    this.#use();
  }

  /** The section has changed. */
  reload(section: OutgoingSection = {}): void {
    this.#section = section;
    this.#use();
  }

  #use(): void {
    const { allow = [] } = this.#section;
    this.#http.use(new OutgoingRules({ mode: this.#mode, allow, own: this.#own }));
  }
}
