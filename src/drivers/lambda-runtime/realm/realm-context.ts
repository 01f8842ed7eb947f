import type { RealmRequest } from '../../../ports/realm-webhook.ts';
import { knownMembers } from './known-members.ts';
import { payloadOf } from './webhook.ts';
import type { RealmPackages } from './packages.ts';

/** What the context is made of. */
export interface ContextParts {
  readonly values: Readonly<Record<string, unknown>>;
  /** Undefined when there is no service of that name. */
  service(name: string): object | undefined;
  /** Runs another function of the folder. */
  execute(name: string, values: readonly unknown[]): unknown;
  readonly request: RealmRequest | undefined;
  readonly packages: RealmPackages;
}

/** The global `context` of one call. */
export function realmContext(parts: ContextParts): object {
  const { values, request, packages } = parts;
  return knownMembers(
    {
      services: knownMembers({ get: (name: unknown) => serviceOf(parts, String(name)) }, 'context.services'),
      values: knownMembers(
        { get: (name: unknown) => (Object.hasOwn(values, String(name)) ? values[String(name)] : undefined) },
        'context.values',
      ),
      functions: knownMembers(
        { execute: (name: unknown, ...given: unknown[]) => parts.execute(String(name), given) },
        'context.functions',
      ),
      environment: { tag: '', values: {} },
      user: { id: '', type: 'system', data: {}, custom_data: {}, identities: [] },
      runningAsSystem: () => true,
      request: request === undefined ? {} : requestOf(request, packages),
    },
    'context',
  );
}

function serviceOf(parts: ContextParts, name: string): object {
  const service = parts.service(name);
  if (service !== undefined) return service;
  throw new Error(`service not found: '${name}' (the function's services: name it in the config file)`);
}

function requestOf(request: RealmRequest, packages: RealmPackages): object {
  const { headers, httpMethod, rawQueryString } = payloadOf(request, packages);
  return {
    httpMethod,
    rawQueryString,
    requestHeaders: headers,
    httpUserAgent: headers['User-Agent']?.[0] ?? '',
    remoteIPAddress: request.remoteAddress ?? '',
    webhookUrl: request.path,
  };
}
