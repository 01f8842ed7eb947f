import { relative } from 'node:path';
import type { StartedNode } from './node.ts';

const LINES_MAX = 12;
/** Where commands look unless they are told. */
const USUAL_PORT = ':4567';

const DURABILITY = {
  always: '(every answer waits for the disk)',
  interval: '(sync: interval; a power cut may take the newest answers)',
  none: '(sync: none; a power cut may take many answers)',
} as const;

/** What `dev` says once it is ready: at most 12 lines, with every address a user needs. */
export function welcome(node: StartedNode, file: string | undefined): string {
  const { served, config, dataDirectory } = node;
  const here = (path: string): string => {
    const short = relative(process.cwd(), path);
    return short === '' ? '.' : short.startsWith('..') ? path : short;
  };
  const first = `millrace dev ${file === undefined ? '(no config file: bare AWS endpoints)' : here(file)}`;
  const api = [`  api       ${served.api}  Kinesis and Firehose; /healthz /readyz /metrics /admin/streams`];
  const gateway = [`  gateway   ${served.gateway}`];
  const at = served.api.endsWith(USUAL_PORT) ? '' : ` --api ${served.api}`;
  const last = [
    `  data      ${here(dataDirectory)}  ${DURABILITY[node.sync]}`,
    `  clients   eval "$(millrace env${at})"    secrets: millrace env${at} --show-secrets`,
    `  look      millrace ps${at} | millrace tail${at} STREAM | millrace trigger${at} github.push`,
  ];
  const room = LINES_MAX - 1 - api.length - gateway.length - last.length;
  const own = [
    ...routes(config.sections).map(([key, to]) => `  webhook   ${key.replace(' ', ` ${served.gateway}`)} -> ${to}`),
    ...deliveries(config.sections, (bucket) => here(`${dataDirectory}/buckets/${bucket}/`)),
  ];
  const shown =
    own.length <= room ? own : [...own.slice(0, room - 1), `  and ${own.length - room + 1} more: millrace ps${at}`];
  return `${[first, ...api, ...gateway, ...shown, ...last].join('\n')}\n`;
}

/** Members of the two kinds of search that say where documents go. */
interface SearchTarget {
  readonly ClusterEndpoint?: string;
  readonly DomainARN?: string;
  readonly IndexName: string;
}

/** As much of a delivery as is shown of it. */
interface ShownDelivery {
  readonly from?: string;
  readonly ExtendedS3DestinationConfiguration?: { readonly BucketARN: string };
  readonly AmazonopensearchserviceDestinationConfiguration?: SearchTarget;
  readonly ElasticsearchDestinationConfiguration?: SearchTarget;
  readonly HttpEndpointDestinationConfiguration?: { readonly EndpointConfiguration: { readonly Url: string } };
  readonly mongodb?: { readonly database: string; readonly collection: string };
  readonly function?: { readonly name: string };
}

type Sections = StartedNode['config']['sections'];

interface Target {
  readonly to?: string | Readonly<Record<string, unknown>>;
  readonly function?: string;
}

function routes(sections: Sections): readonly (readonly [string, string])[] {
  const gateway = sections['gateway'] as { routes?: Readonly<Record<string, Target>>; basePath?: string } | undefined;
  return Object.entries(gateway?.routes ?? {}).map(([key, route]) => {
    const own = typeof route.to === 'object' ? Object.keys(route.to)[0] : route.to;
    const target = own ?? `function ${route.function ?? ''}`;
    return [key.replace(' ', ` ${gateway?.basePath ?? ''}`), target];
  });
}

function deliveries(sections: Sections, folder: (bucket: string) => string): string[] {
  const section = (sections['deliveries'] ?? {}) as Readonly<Record<string, ShownDelivery>>;
  return Object.entries(section).map(([name, delivery]) => {
    const source = delivery.from ?? 'DirectPut';
    return `  delivery  ${source} -> ${goal(delivery, folder) ?? `${name} (paused: not built)`}`;
  });
}

function goal(delivery: ShownDelivery, folder: (bucket: string) => string): string | undefined {
  if (delivery.function !== undefined) return `function ${delivery.function.name}`;
  const bucket = delivery.ExtendedS3DestinationConfiguration?.BucketARN.replace(/^arn:[^:]*:s3:::/, '');
  if (bucket !== undefined) return folder(bucket);
  const { HttpEndpointDestinationConfiguration: endpoint, mongodb } = delivery;
  if (endpoint !== undefined) return endpoint.EndpointConfiguration.Url;
  if (mongodb !== undefined) return `${mongodb.database}.${mongodb.collection}`;
  const search =
    delivery.AmazonopensearchserviceDestinationConfiguration ?? delivery.ElasticsearchDestinationConfiguration;
  if (search === undefined || search.ClusterEndpoint === 'embedded') return undefined;
  return `${search.ClusterEndpoint ?? search.DomainARN}/${search.IndexName}`;
}
