import type { Duplex } from 'node:stream';
import { plainAnswer } from './plain-answer.ts';

const REASONS: Readonly<Record<number, string>> = {
  400: 'Bad Request',
  405: 'Method Not Allowed',
  408: 'Request Timeout',
  431: 'Request Header Fields Too Large',
};

/** Answers a socket of which no request could be read, and ends it. */
export function refuseRaw(socket: Duplex, status: number, code: string, message: string): void {
  socket.on('error', () => undefined);
  const body = plainAnswer(status, code, message).body as string;
  const head = `HTTP/1.1 ${status} ${REASONS[status]}\r\ncontent-type: application/json\r\nconnection: close\r\n`;
  socket.end(`${head}content-length: ${Buffer.byteLength(body)}\r\n\r\n${body}`, () => socket.destroy());
}
