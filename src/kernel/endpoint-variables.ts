/** Services whose clients reach the node by a variable of their own: the global one would take S3 along. */
const SERVICES = ['KINESIS', 'FIREHOSE', 'LAMBDA', 'APIGATEWAYMANAGEMENTAPI', 'TIMESTREAM_WRITE', 'TIMESTREAM_QUERY'];

/** The environment variables that point AWS's clients of each service we are at `api`, a URL. */
export function endpointVariables(api: string): Readonly<Record<string, string>> {
  return Object.fromEntries(SERVICES.map((service) => [`AWS_ENDPOINT_URL_${service}`, api]));
}
