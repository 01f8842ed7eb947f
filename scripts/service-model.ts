/**
 * Writes test/fixtures/SERVICE-model.json from AWS's service model: `node dist-test/scripts/service-model.js SERVICE
 * service-2.json`, SERVICE is kinesis or firehose, and the file (also .gz) the one that botocore carries. Only names and
 * bounds are kept, which the declared shapes of the actions are compared with.
 */
import { readFileSync, writeFileSync } from 'node:fs';
import { gunzipSync } from 'node:zlib';

/** A shape with all that is in it; names of members that must be there stand in `required`. */
export interface ModelShape {
  readonly type: string;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly members?: Readonly<Record<string, ModelShape>>;
  readonly required?: readonly string[];
  readonly item?: ModelShape;
  readonly key?: ModelShape;
  readonly value?: ModelShape;
}

/** An action of the model. */
export interface ModelAction {
  readonly input: ModelShape;
  readonly output?: ModelShape;
  readonly errors: readonly string[];
}

/** A shape as the model's file spells it. */
interface FileShape {
  readonly type: string;
  readonly min?: number;
  readonly max?: number;
  readonly pattern?: string;
  readonly enum?: readonly string[];
  readonly members?: Readonly<Record<string, { readonly shape: string }>>;
  readonly required?: readonly string[];
  readonly member?: { readonly shape: string };
  readonly key?: { readonly shape: string };
  readonly value?: { readonly shape: string };
  readonly exception?: boolean;
}

interface FileModel {
  readonly operations: Readonly<
    Record<
      string,
      {
        readonly input?: { readonly shape: string };
        readonly output?: { readonly shape: string };
        readonly errors?: readonly { readonly shape: string }[];
      }
    >
  >;
  readonly shapes: Readonly<Record<string, FileShape>>;
}

/** The actions of a model's file. */
export function readModel(model: FileModel): Readonly<Record<string, ModelAction>> {
  const shape = (name: string): ModelShape => {
    const { type, min, max, pattern, enum: values, members, required, member, key, value } = found(model, name);
    const known = Object.entries(members ?? {}).filter(([, one]) => found(model, one.shape).exception !== true);
    return {
      type,
      ...(min !== undefined && { min }),
      ...(max !== undefined && { max }),
      ...(pattern !== undefined && { pattern }),
      ...(values !== undefined && { enum: values }),
      ...(members !== undefined && { members: Object.fromEntries(known.map(([at, one]) => [at, shape(one.shape)])) }),
      ...(required !== undefined && { required }),
      ...(member !== undefined && { item: shape(member.shape) }),
      ...(key !== undefined && { key: shape(key.shape) }),
      ...(value !== undefined && { value: shape(value.shape) }),
    };
  };
  const actions = Object.entries(model.operations).map(([name, { input, output, errors = [] }]) => {
    const action: ModelAction = {
      input: input === undefined ? { type: 'structure', members: {} } : shape(input.shape),
      ...(output !== undefined && { output: shape(output.shape) }),
      errors: errors.map((one) => one.shape),
    };
    return [name, action] as const;
  });
  return Object.fromEntries(actions);
}

function found(model: FileModel, name: string): FileShape {
  const shape = model.shapes[name];
  if (shape === undefined) throw new Error(`the model has no shape ${name}`);
  return shape;
}

if (process.argv[1]?.endsWith('service-model.js')) {
  const [service = 'kinesis', file = 'service-2.json'] = process.argv.slice(2);
  const bytes = readFileSync(file);
  const text = bytes[0] === 0x1f ? gunzipSync(bytes) : bytes;
  const actions = readModel(JSON.parse(text.toString()) as FileModel);
  const lines = Object.entries(actions).map(([name, action]) => `  ${JSON.stringify(name)}: ${JSON.stringify(action)}`);
  writeFileSync(`test/fixtures/${service}-model.json`, `{\n${lines.join(',\n')}\n}\n`);
}
