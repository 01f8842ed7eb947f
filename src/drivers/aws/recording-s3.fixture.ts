import { createServer, type IncomingHttpHeaders } from 'node:http';
import { endServer, onLoopback } from '../../testing/loopback.ts';

/** A request as the service saw it. */
export interface S3Request {
  /** `PUT`, `POST ?uploads` and so on, without values. */
  readonly action: string;
  readonly headers: IncomingHttpHeaders;
}

/** What is answered in place of what a service that takes everything says; undefined: that. */
type Script = (request: S3Request) => { readonly status: number; readonly body: string } | undefined;

/** A service that takes each object and keeps what it was asked. */
export interface RecordingS3 {
  readonly endpoint: string;
  readonly requests: S3Request[];
  close(): void;
}

const BEGUN = '<InitiateMultipartUploadResult><UploadId>u</UploadId></InitiateMultipartUploadResult>';
const DONE = '<CompleteMultipartUploadResult><ETag>"e"</ETag></CompleteMultipartUploadResult>';

/** Listens on loopback. */
export async function recordingS3(script: Script = () => undefined): Promise<RecordingS3> {
  const requests: S3Request[] = [];
  const server = createServer((request, response) => {
    const { searchParams } = new URL(request.url ?? '', 'http://s3');
    const words = [...searchParams.keys()].filter((word) => word !== 'x-id');
    const action = [request.method, ...words.map((word) => `?${word}`)].join(' ');
    const asked = { action, headers: request.headers };
    requests.push(asked);
    request.resume().once('end', () => {
      const refusal = script(asked);
      response.setHeader('etag', '"e"');
      if (refusal !== undefined) return response.writeHead(refusal.status).end(refusal.body);
      return response.end(action === 'POST ?uploads' ? BEGUN : action === 'POST ?uploadId' ? DONE : '');
    });
  });
  return { endpoint: await onLoopback(server), requests, close: () => endServer(server) };
}
