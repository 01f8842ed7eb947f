import { apiKey } from './api-key.ts';
import { basic } from './basic.ts';
import { bitbucket } from './bitbucket.ts';
import { github } from './github.ts';
import { gitlab } from './gitlab.ts';
import { hmac } from './hmac.ts';
import { jira } from './jira.ts';
import { jwt } from './jwt.ts';
import { shopify } from './shopify.ts';
import { slack } from './slack.ts';
import { standard } from './standard.ts';
import { stripe } from './stripe.ts';
import type { AnyVerifierKind } from './verifier.ts';

/** The words of `verify`, beside `ip` and `none`. */
export const verifierKinds: readonly AnyVerifierKind[] = [
  github, standard, stripe, slack, shopify, gitlab, bitbucket, jira, hmac, basic, apiKey, jwt,
]; // prettier-ignore
