import type { NodeShape, Plan, Step } from './plan.ts';

/** Why a plan fails; undefined when it does not. */
export type Trial = (plan: Plan) => Promise<Error | undefined>;

/** A smaller plan that fails for the same reason. */
export interface Shrunk {
  readonly plan: Plan;
  readonly error: Error;
  readonly trials: number;
}

/** Nodes to try in place of a seed's own. */
const SIMPLER_NODES: readonly Partial<NodeShape>[] = [
  { sync: 'always' },
  { isGzip: false, segmentBytesMax: 200_000 },
  { intervalSeconds: 0 },
  { shardCount: 1 },
];

/**
 * Leaves out whatever a failing plan can do without: whole lives, then ever smaller parts, then pauses, records and
 * copies. A plan counts as failing when it fails with the same message, numbers aside.
 */
export async function shrink(plan: Plan, error: Error, trial: Trial): Promise<Shrunk> {
  return await new Shrinking(plan, error, trial).run();
}

class Shrinking {
  readonly #trial: Trial;
  readonly #reason: string;
  #plan: Plan;
  #error: Error;
  #trials = 0;

  constructor(plan: Plan, error: Error, trial: Trial) {
    this.#plan = plan;
    this.#error = error;
    this.#reason = reasonOf(error);
    this.#trial = trial;
  }

  async run(): Promise<Shrunk> {
    for (let before = Infinity; sizeOf(this.#plan) < before;) {
      before = sizeOf(this.#plan);
      await this.#removeSteps();
      await this.#simplifySteps();
      for (const node of SIMPLER_NODES) await this.#tryNode(node);
    }
    return { plan: this.#plan, error: this.#error, trials: this.#trials };
  }

  /** Parts of half the steps first, single ones last; a part that could go is followed by the next one. */
  async #removeSteps(): Promise<void> {
    for (let length = Math.ceil(this.#plan.steps.length / 2); length >= 1; length = Math.floor(length / 2)) {
      for (let at = 0; at < this.#plan.steps.length;) {
        const { steps } = this.#plan;
        const rest = [...steps.slice(0, at), ...steps.slice(at + length)];
        if (!(await this.#try({ ...this.#plan, steps: rest }))) at += length;
      }
    }
  }

  async #simplifySteps(): Promise<void> {
    for (let at = 0; at < this.#plan.steps.length; at += 1) {
      for (const simplify of SIMPLIFICATIONS) {
        const step = this.#plan.steps[at] as Step;
        await this.#try({ ...this.#plan, steps: this.#plan.steps.with(at, simplify(step)) });
      }
    }
  }

  async #tryNode(simpler: Partial<NodeShape>): Promise<void> {
    const node = { ...this.#plan.node, ...simpler };
    if (JSON.stringify(node) !== JSON.stringify(this.#plan.node)) await this.#fails({ ...this.#plan, node });
  }

  async #try(plan: Plan): Promise<boolean> {
    return sizeOf(plan) < sizeOf(this.#plan) && (await this.#fails(plan));
  }

  /** Takes the plan over when it fails all the same. */
  async #fails(plan: Plan): Promise<boolean> {
    this.#trials += 1;
    const error = await this.#trial(plan);
    if (error === undefined || reasonOf(error) !== this.#reason) return false;
    this.#plan = plan;
    this.#error = error;
    return true;
  }
}

/** Each makes a step do less in one respect, or leaves it as it is. */
const SIMPLIFICATIONS: readonly ((step: Step) => Step)[] = [
  (step) => ({ ...step, pauseMs: 0 }),
  (step) => (step.do === 'put' ? { ...step, records: step.records.slice(0, 1) } : step),
  (step) => (step.do === 'put' ? { ...step, records: step.records.slice(-1) } : step),
  (step) => (step.do === 'put' ? { ...step, records: step.records.map(({ key }) => ({ key, bytes: 0 })) } : step),
  (step) => (step.do === 'hook' ? { ...step, copies: 1 } : step),
  (step) => (step.do === 'direct' ? { ...step, count: 1 } : step),
];

/** The length of what would be printed; a step and a pause count for more than their letters. */
function sizeOf({ node, steps }: Plan): number {
  const sizes = steps.map((step) => 40 + (step.pauseMs > 0 ? 10 : 0) + JSON.stringify(step).length);
  return JSON.stringify(node).length + sizes.reduce((sum, size) => sum + size, 0);
}

/** Texts and places carry numbers that another plan has otherwise. */
function reasonOf({ name, message }: Error): string {
  return `${name}: ${message.replace(/\d+/g, '#').replace(/\b(hook-|p|d)#\S*/g, 'it')}`;
}
