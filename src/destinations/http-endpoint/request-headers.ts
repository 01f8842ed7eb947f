import type { HttpEndpointOptions } from './options.ts';

/** Headers of AWS's request specification, but for those of one request alone. */
export function requestHeaders(options: HttpEndpointOptions, sourceArn: string): Readonly<Record<string, string>> {
  const { AccessKey = '' } = options.EndpointConfiguration;
  const { ContentEncoding, CommonAttributes = [] } = options.RequestConfiguration ?? {};
  return {
    'content-type': 'application/json',
    // As the service was seen to call itself.
    'user-agent': 'Amazon Kinesis Data Firehose Agent/1.0',
    'x-amz-firehose-protocol-version': '1.0',
    'x-amz-firehose-source-arn': sourceArn,
    ...(AccessKey !== '' && { 'x-amz-firehose-access-key': AccessKey }),
    ...(CommonAttributes.length > 0 && { 'x-amz-firehose-common-attributes': attributesText(CommonAttributes) }),
    ...(ContentEncoding === 'GZIP' && { 'content-encoding': 'gzip' }),
  };
}

type Attributes = NonNullable<NonNullable<HttpEndpointOptions['RequestConfiguration']>['CommonAttributes']>;

/** JSON of ASCII alone: headers hold nothing else for sure. */
function attributesText(attributes: Attributes): string {
  const entries = attributes.map(({ AttributeName, AttributeValue }) => [AttributeName, AttributeValue] as const);
  const text = JSON.stringify({ commonAttributes: Object.fromEntries(entries) });
  return text.replaceAll(/[\u007f-\uffff]/g, (unit) => `\\u${unit.charCodeAt(0).toString(16).padStart(4, '0')}`);
}
