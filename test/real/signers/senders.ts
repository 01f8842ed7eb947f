import { sign } from '@octokit/webhooks-methods';
import { Webhook as StandardWebhook } from 'standardwebhooks';
import { Stripe } from 'stripe';
import { Webhook as SvixWebhook } from 'svix';

/** What a sender signs: its delivery id, its time in seconds, the text and the secret. */
export interface Delivery {
  readonly id: string;
  readonly seconds: number;
  readonly body: string;
  readonly secret: string;
}

/** A sender by the library that its own users sign with. */
export interface Sender {
  readonly name: string;
  /** The package that signs. */
  readonly library: string;
  /** What the route says of it. */
  readonly verify: (secret: string) => Readonly<Record<string, unknown>>;
  /** False where no time is signed. */
  readonly signsTime: boolean;
  /** Headers of the request. */
  readonly sign: (delivery: Delivery) => Promise<Readonly<Record<string, string>>>;
}

const standard = (secret: string): Readonly<Record<string, unknown>> => ({ standard: { secrets: [secret] } });
const at = (seconds: number): Date => new Date(seconds * 1000);

/** Each library signs the requests of a route of its own. */
export const SENDERS: readonly Sender[] = [
  {
    name: 'svix',
    library: 'svix',
    verify: standard,
    signsTime: true,
    async sign({ id, seconds, body, secret }) {
      const signature = new SvixWebhook(secret).sign(id, at(seconds), body);
      return { 'svix-id': id, 'svix-timestamp': String(seconds), 'svix-signature': signature };
    },
  },
  {
    name: 'standard',
    library: 'standardwebhooks',
    verify: standard,
    signsTime: true,
    async sign({ id, seconds, body, secret }) {
      const signature = new StandardWebhook(secret).sign(id, at(seconds), body);
      return { 'webhook-id': id, 'webhook-timestamp': String(seconds), 'webhook-signature': signature };
    },
  },
  {
    name: 'stripe',
    library: 'stripe',
    verify: (secret) => ({ stripe: { secrets: [secret] } }),
    signsTime: true,
    async sign({ seconds, body, secret }) {
      const header = Stripe.webhooks.generateTestHeaderString({ payload: body, secret, timestamp: seconds });
      return { 'stripe-signature': header };
    },
  },
  {
    name: 'github',
    library: '@octokit/webhooks-methods',
    verify: (secret) => ({ github: { secrets: [secret] } }),
    signsTime: false,
    async sign({ id, body, secret }) {
      return { 'x-github-delivery': id, 'x-github-event': 'ping', 'x-hub-signature-256': await sign(secret, body) };
    },
  },
];
