import type { Optional, Schema } from './declare.ts';

/** Longest piece of a caller's text that a sentence repeats, in UTF-16 units: sentences stay bounded. */
export const QUOTED_TEXT_MAX = 65_536;

/** The shape of a member, optional or not. */
export function memberSchema(member: Schema | Optional): Schema {
  return member.kind === 'optional' ? member.schema : member;
}

/** The text, cut to what a sentence may repeat. */
export function shorten(text: string): string {
  return text.length <= QUOTED_TEXT_MAX ? text : `${text.slice(0, QUOTED_TEXT_MAX)}...`;
}

/** `StreamName` as AWS's sentences spell members: `streamName`. */
export function lowerFirst(name: string): string {
  return name.charAt(0).toLowerCase() + name.slice(1);
}

/** Number of characters (code points, as AWS's model counts), without counting when the units already tell. */
export function isLongerThan(text: string, max: number): boolean {
  return text.length > max && (text.length > max * 2 || characters(text) > max);
}

/** Whether the text has less than `min` characters. */
export function isShorterThan(text: string, min: number): boolean {
  return text.length < min * 2 && (text.length < min || characters(text) < min);
}

function characters(text: string): number {
  let count = 0;
  for (const _ of text) count += 1;
  return count;
}
