import assert from 'node:assert/strict';
import { test } from 'node:test';
import { sign } from './sign.ts';

test('a signature as botocore makes it', () => {
  const headers = sign(
    {
      host: 'kinesis.us-east-1.amazonaws.com',
      region: 'us-east-1',
      body: '{}',
      headers: { 'content-type': 'application/x-amz-json-1.1', 'x-amz-target': 'Kinesis_20131202.ListStreams' },
      at: new Date('2026-01-31T12:00:00.123Z'),
    },
    { accessKeyId: 'AKIDEXAMPLE', secretAccessKey: 'wJalrXUtnFEMI/K7MDENG+bPxRfiCYEXAMPLEKEY' },
  );
  assert.equal(headers['x-amz-date'], '20260131T120000Z');
  assert.equal(
    headers['authorization'],
    'AWS4-HMAC-SHA256 Credential=AKIDEXAMPLE/20260131/us-east-1/kinesis/aws4_request, ' +
      'SignedHeaders=content-type;host;x-amz-date;x-amz-target, Signature=57630b0d85650550ce49d06b48142f9d4f7b508f45576acea1a6259c03db0586',
  );
});

test('a session token is sent and signed', () => {
  const unsigned = { host: 'h', region: 'r', body: '', headers: {}, at: new Date(0) };
  const keys = { accessKeyId: 'a', secretAccessKey: 's' };
  const headers = sign(unsigned, { ...keys, sessionToken: 't' });
  assert.equal(headers['x-amz-security-token'], 't');
  assert.match(headers['authorization'] ?? '', /SignedHeaders=host;x-amz-date;x-amz-security-token,/);
  const other = sign(unsigned, { ...keys, sessionToken: 'u' });
  assert.notEqual(other['authorization'], headers['authorization']);
});
