import { Agent as PlainAgent, type AgentOptions } from 'node:http';
import { Agent as SecureAgent } from 'node:https';
import type { Duplex } from 'node:stream';
import type { Socket } from 'node:net';

/** Connections to one server at once; further requests wait for one of them. */
const PER_SERVER_MAX = 64;
const ALL_MAX = 1024;
const KEPT_PER_SERVER_MAX = 8;
/** Below what servers keep an idle connection, of which few say how long: who closes first loses no request. */
const IDLE_MS = 4000;

const OPTIONS: AgentOptions = {
  keepAlive: true,
  maxSockets: PER_SERVER_MAX,
  maxTotalSockets: ALL_MAX,
  maxFreeSockets: KEPT_PER_SERVER_MAX,
  scheduling: 'lifo',
};

/** Connections that are kept for the next request to the same server. */
export class ConnectionPool {
  readonly #plain: PlainAgent;
  readonly #secure: SecureAgent;

  constructor(authorities: string | undefined) {
    this.#plain = closingIdle(new PlainAgent(OPTIONS));
    this.#secure = closingIdle(new SecureAgent({ ...OPTIONS, ...(authorities !== undefined && { ca: authorities }) }));
  }

  agent(isSecure: boolean): PlainAgent {
    return isSecure ? this.#secure : this.#plain;
  }

  /** Closes what is idle, and what is in use when its request is over. */
  retire(): void {
    for (const agent of [this.#plain, this.#secure]) {
      agent.maxFreeSockets = 0;
      for (const sockets of Object.values(agent.freeSockets)) for (const socket of sockets ?? []) socket.destroy();
    }
  }

  close(): void {
    this.#plain.destroy();
    this.#secure.destroy();
  }
}

/** An idle socket's time-out is the agent's sign to close it; in use it means nothing. */
function closingIdle<T extends PlainAgent>(agent: T): T {
  // It says whether the socket is kept, which the types do not know.
  const keep: (socket: Duplex) => unknown = agent.keepSocketAlive.bind(agent);
  agent.keepSocketAlive = (socket) => {
    const isKept = keep(socket) === true;
    const idle = socket as Socket;
    if (isKept && !((idle.timeout ?? 0) > 0 && (idle.timeout ?? 0) < IDLE_MS)) idle.setTimeout(IDLE_MS);
    return isKept;
  };
  return agent;
}
