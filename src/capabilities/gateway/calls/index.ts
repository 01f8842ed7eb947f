import { body } from './body.ts';
import type { CallForm } from './call.ts';
import { proxy1 } from './proxy1.ts';
import { proxy2 } from './proxy2.ts';
import { realm } from './realm.ts';

/** The words of `event`. */
export const callForms: readonly CallForm[] = [body, proxy1, proxy2, realm];
