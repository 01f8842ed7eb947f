import { InvalidConfig, type Config } from '../config/index.ts';
import { isLoopbackHost } from '../wire/http/private-access.ts';

/** What a node is told beside its config. */
export interface RunningAs {
  readonly mode: 'dev' | 'start';
  readonly api: { readonly host: string };
  /** Stronger than the config's word. */
  readonly sync?: string | undefined;
  readonly unsafe?: boolean;
}

/** Throws InvalidConfig for what only `--unsafe` allows: at the start, and when a changed config is taken over. */
export function refuseUnsafe({ server, engine }: Pick<Config, 'server' | 'engine'>, running: RunningAs): void {
  const { mode, api, sync, unsafe = false } = running;
  if (unsafe) return;
  const lines: string[] = [];
  if (mode === 'start' && (sync ?? engine.segmentLog?.sync) === 'none') {
    lines.push('engine.segmentLog.sync: none may lose what was answered; --unsafe allows it in `start`');
  }
  // Whoever reaches such a listener may do everything.
  if (server.credentials === undefined && !isLoopbackHost(api.host)) {
    lines.push(`server.credentials: missing, and ${api.host} is not a loopback address; --unsafe allows it without`);
  }
  if (lines.length > 0) throw new InvalidConfig(lines);
}
