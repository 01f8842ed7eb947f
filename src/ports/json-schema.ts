/** Tests a JSON value: what is wrong with it, a few sentences at most; none when it fits. Never throws. */
export type JsonCheck = (value: unknown) => readonly string[];

/** JSON Schema, as its specification has it (2020-12; draft-07 and older where `$schema` says so). */
export interface JsonSchemas {
  /** Throws RequestError InvalidSchema, with a sentence, for what is no schema or refers to one that is not in it. */
  compile(schema: unknown): JsonCheck;
}
