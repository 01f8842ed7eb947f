import { InvalidConfig, type Config } from '../config/index.ts';
import type { ConfigFinding } from '../kernel/schema/config-finding.ts';
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
  const found: ConfigFinding[] = [];
  const refuse = (path: string, message: string): void => void found.push({ file: '', path, message });
  if (mode === 'start' && (sync ?? engine.segmentLog?.sync) === 'none') {
    refuse('engine.segmentLog.sync', 'none may lose what was answered; --unsafe allows it in `start`');
  }
  // Whoever reaches such a listener may do everything.
  if (server.credentials === undefined && !isLoopbackHost(api.host)) {
    refuse('server.credentials', `missing, and ${api.host} is not a loopback address; --unsafe allows it without`);
  }
  if (found.length > 0) throw new InvalidConfig(found);
}
