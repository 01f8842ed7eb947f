import { LoadError } from '../bootstraps/load-handler.ts';

/** One service of the config file: what kind it is of, and where it is. */
export type ServiceSetting =
  | { readonly kind: 'kinesis'; readonly region: string | undefined }
  | { readonly kind: 'mongodb'; readonly uri: string };

/** `values:` and `services:` of the function. */
export interface RealmSettings {
  readonly values: Readonly<Record<string, unknown>>;
  readonly services: Readonly<Record<string, ServiceSetting>>;
}

/** From the variables in which they reach the process. LoadError for services of no known kind; values are not told. */
export function readSettings(variables: Readonly<Record<string, string | undefined>>): RealmSettings {
  const services = Object.entries(parsed(variables, 'MILLRACE_SERVICES'));
  return {
    values: parsed(variables, 'MILLRACE_VALUES'),
    services: Object.fromEntries(services.map(([name, given]) => [name, serviceOf(name, given)])),
  };
}

function parsed(variables: Readonly<Record<string, string | undefined>>, name: string): Record<string, unknown> {
  try {
    const value: unknown = JSON.parse(variables[name] ?? '{}');
    if (typeof value === 'object' && value !== null && !Array.isArray(value)) return value as Record<string, unknown>;
  } catch {
    // Told below: a parser's message quotes what it read.
  }
  throw new LoadError('Runtime.InvalidSettings', `${name} is not an object in JSON`);
}

function serviceOf(name: string, given: unknown): ServiceSetting {
  const { kinesis, mongodb } = (given ?? {}) as { readonly kinesis?: unknown; readonly mongodb?: unknown };
  if (typeof mongodb === 'string') return { kind: 'mongodb', uri: mongodb };
  if (typeof kinesis === 'object' && kinesis !== null) {
    const { region } = kinesis as { readonly region?: unknown };
    return { kind: 'kinesis', region: typeof region === 'string' ? region : undefined };
  }
  const text = `services.${name}: expected { kinesis: {} } or { mongodb: URI }`;
  throw new LoadError('Runtime.InvalidSettings', text);
}
