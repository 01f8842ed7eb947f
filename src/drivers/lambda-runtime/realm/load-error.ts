/** Why a handler cannot be loaded; the names are Lambda's. */
export class LoadError extends Error {
  readonly type: string;

  constructor(type: string, message: string, cause?: unknown) {
    super(message, cause === undefined ? undefined : { cause });
    this.type = type;
  }
}
