import { functionsOf, NodeBench, SECRET, stored, type Answer, type Handler } from '../harness.fixture.ts';
import { HOOK, ScriptedGithub, TOKEN, type ScriptedAttempt } from './scripted-github.fixture.ts';

export const MINUTE_MS = 60_000;

/** A node with one route, whose hook is looked through at a scripted GitHub; buckets are those of a scripted S3. */
export class PullBench {
  readonly github = new ScriptedGithub(SECRET);
  readonly node: NodeBench;

  constructor(seed = 1) {
    this.node = new NodeBench(seed, { servers: (request) => this.github.script(request), hasS3: true });
  }

  async open(
    more: object = {},
    pull: object = {},
    handlers?: Readonly<Record<string, Handler>>,
    route = 'POST /hook',
  ): Promise<this> {
    const verify = { github: { secrets: [SECRET], pull: { hooks: { wheel: HOOK }, token: TOKEN, ...pull } } };
    const target = handlers === undefined ? { to: 'hooks' } : {};
    const sections = {
      streams: { hooks: { ShardCount: 2 } },
      gateway: { routes: { [route]: { verify, ...target, ...more } } },
    };
    await this.node.open(sections, handlers === undefined ? undefined : functionsOf(handlers));
    return this;
  }

  async pass(ms: number): Promise<void> {
    await this.node.simulation.pass(ms);
  }

  /** ISO time, so many seconds from now. */
  at(seconds: number): string {
    return new Date(this.node.simulation.environment.clock.now() + seconds * 1000).toISOString();
  }

  /** Attempts, each some seconds after the last, the first so long ago. */
  missed(count: number, secondsAgo: number, more: Partial<ScriptedAttempt> = {}): readonly string[] {
    const guids = Array.from({ length: count }, (_, index) => `guid-${secondsAgo}-${index}`);
    this.github.add(...guids.map((guid, index) => ({ guid, at: this.at(index - secondsAgo), ...more })));
    return guids;
  }

  async view(): Promise<Answer> {
    return await this.node.admin('GET', '/admin/pulls/{name}', { name: 'wheel' });
  }

  async change(verb: 'pause' | 'resume' | 'look'): Promise<Answer> {
    return await this.node.admin('POST', `/admin/pulls/{name}/${verb}`, { name: 'wheel' });
  }

  /** Ids of all records, sorted. */
  async ids(): Promise<readonly string[]> {
    return (await stored(this.node)).map(([key]) => key).toSorted();
  }

  get problems(): string {
    return this.node.node.health().problems.join();
  }
}
