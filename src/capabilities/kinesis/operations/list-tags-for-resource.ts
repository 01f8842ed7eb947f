import * as s from '../../../kernel/schema/declare.ts';
import { listTags } from '../../../kernel/tags.ts';
import { operation } from '../../../ports/operation.ts';
import type { KinesisState } from '../model.ts';
import { addressedResource, keptOf } from '../resource.ts';
import { resourceArn, streamId, tag, TARGET } from '../shapes.ts';

const input = s.struct({ ResourceARN: resourceArn, StreamId: s.optional(streamId) });

const output = s.struct({ Tags: s.optional(s.list(tag, { min: 0, max: 200 })) });

/** Lists all tags of a stream or consumer by key. */
export const listTagsForResource = operation<KinesisState>()({
  name: 'ListTagsForResource',
  target: TARGET,
  input,
  output,
  errors: ['InvalidArgumentException', 'ResourceNotFoundException'],
  plane: 'control',
  doc: 'Lists all tags of a stream or consumer by key.',
  async handle({ ResourceARN }, { state }) {
    return { Tags: listTags(keptOf(addressedResource(state, ResourceARN)).tags) };
  },
});
