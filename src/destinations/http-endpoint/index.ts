import { bufferingOf, hintsInForce, hintsProblem } from '../../kernel/buffering-hints.ts';
import { parseConfigUrl } from '../../kernel/net/config-url.ts';
import { processingProblem } from '../../kernel/processing.ts';
import type { Json } from '../../ports/catalog.ts';
import type { Destination, FailurePath } from '../../ports/destination.ts';
import { HttpEndpoint } from './http-endpoint.ts';
import { httpEndpointOptions, RETRY_SECONDS, type HttpEndpointOptions } from './options.ts';
import { dataId } from './request-plan.ts';

/** AWS's guide: a second, doubled, each 15 % more or less, at most two minutes. */
const BACKOFF = { baseMs: 1000, maxMs: 120_000, spread: 0.15 };

/** What a header can hold. */
const HEADER_TEXT = /^[\t\u0020-\u007e\u0080-\u00ff]*$/;

/** Somebody's HTTP server that speaks Firehose's request and response specifications. */
export const httpEndpoint: Destination<typeof httpEndpointOptions> = {
  name: 'HttpEndpointDestinationConfiguration',
  options: httpEndpointOptions,
  buffering: ({ BufferingHints: hints }) => bufferingOf(hints),
  problem,
  urls: ({ EndpointConfiguration }) => [EndpointConfiguration.Url],
  describe,
  failures,
  usesNewestOptions: true,
  open: (options, doors, environment) => new HttpEndpoint(options, doors, environment),
};

function problem(options: HttpEndpointOptions): string | undefined {
  const { EndpointConfiguration: endpoint, BufferingHints: hints, ProcessingConfiguration } = options;
  const url = urlProblem(endpoint.Url);
  if (url !== undefined) return `EndpointConfiguration.Url: ${url}`;
  if (!HEADER_TEXT.test(endpoint.AccessKey ?? '')) {
    return 'EndpointConfiguration.AccessKey: holds characters that no header can hold';
  }
  const faultOfHints = hintsProblem(hints);
  if (faultOfHints !== undefined) return faultOfHints;
  const names = (options.RequestConfiguration?.CommonAttributes ?? []).map(({ AttributeName }) => AttributeName);
  const twice = names.find((name, index) => names.indexOf(name) !== index);
  if (twice !== undefined) return `RequestConfiguration.CommonAttributes: ${twice} stands there twice`;
  if (options.SecretsManagerConfiguration?.Enabled === true) {
    return 'SecretsManagerConfiguration is not built yet; EndpointConfiguration.AccessKey takes the key';
  }
  return processingProblem(ProcessingConfiguration ?? {}, false);
}

/** What stands for the node's own address is looked at when it is known. */
function urlProblem(given: string): string | undefined {
  const url = parseConfigUrl(given);
  if (url === undefined) return 'is no URL';
  const { hostname, username, password } = url;
  if (hostname.includes('${')) return 'names no host: ${api} and ${gateway} are whole URLs, with http:// or https://';
  if (username === '' && password === '') return undefined;
  return 'holds a name or a password, and would be shown; AccessKey takes a secret';
}

/** Members of AWS's description, with the defaults that hold; never the key. */
function describe(options: HttpEndpointOptions): Readonly<Record<string, Json>> {
  const { BufferingHints: hints, CloudWatchLoggingOptions: logging, RequestConfiguration: request } = options;
  const { RetryOptions: retry, ProcessingConfiguration, RoleARN, SecretsManagerConfiguration: secrets } = options;
  const { Url, Name } = options.EndpointConfiguration;
  return {
    HttpEndpointDestinationDescription: {
      EndpointConfiguration: { Url, ...(Name !== undefined && { Name }) },
      BufferingHints: hintsInForce(hints),
      CloudWatchLoggingOptions: { Enabled: false, ...(logging as Record<string, Json> | undefined) },
      RequestConfiguration: {
        ContentEncoding: request?.ContentEncoding ?? 'NONE',
        CommonAttributes: (request?.CommonAttributes ?? []) as unknown as Json,
      },
      ...(ProcessingConfiguration !== undefined && { ProcessingConfiguration: ProcessingConfiguration as Json }),
      ...(RoleARN !== undefined && { RoleARN }),
      RetryOptions: { DurationInSeconds: retry?.DurationInSeconds ?? RETRY_SECONDS },
      S3BackupMode: options.S3BackupMode ?? 'FailedDataOnly',
      ...(secrets !== undefined && { SecretsManagerConfiguration: secrets as Json }),
    },
  };
}

function failures({ S3Configuration, S3BackupMode, RetryOptions }: HttpEndpointOptions): FailurePath {
  return {
    errorType: 'http-endpoint-failed',
    backup: S3Configuration,
    backupMode: S3BackupMode === 'AllData' ? 'all' : 'failed',
    retryMs: (RetryOptions?.DurationInSeconds ?? RETRY_SECONDS) * 1000,
    backoff: BACKOFF,
    line: (record) => ({ subsequenceNumber: record.subSequenceNumber ?? 0, dataId: dataId(record) }),
  };
}
