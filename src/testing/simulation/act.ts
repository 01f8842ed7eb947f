import { unreachable } from '../../kernel/assert.ts';
import { deliver, direct, flush, look, undeliver } from './delivery-actions.ts';
import { subscribe } from './fan-out-actions.ts';
import type { Life } from './life.ts';
import type { ClientAction, Step } from './plan.ts';
import { check, put, read } from './record-actions.ts';
import { count, create, merge, remove, retain, split } from './stream-actions.ts';
import { forge, hook } from './webhook-actions.ts';

/** Does one step of a client. Rejects with BrokenPromise. */
export async function act(life: Life, step: Step & ClientAction): Promise<void> {
  switch (step.do) {
    case 'put':
      return await put(life, step);
    case 'read':
      return await read(life, step);
    case 'subscribe':
      return await subscribe(life, step);
    case 'check':
      return await check(life, step);
    case 'split':
      return await split(life, step);
    case 'merge':
      return await merge(life, step);
    case 'count':
      return await count(life, step);
    case 'retain':
      return await retain(life, step);
    case 'create':
      return await create(life, step);
    case 'delete':
      return await remove(life);
    case 'hook':
      return await hook(life, step);
    case 'forge':
      return await forge(life, step);
    case 'direct':
      return await direct(life, step);
    case 'deliver':
      return await deliver(life);
    case 'undeliver':
      return await undeliver(life);
    case 'flush':
      return void (await flush(life, step));
    case 'look':
      return look(life, step);
    default:
      return unreachable(step);
  }
}
