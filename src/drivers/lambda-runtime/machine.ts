/** What the driver knows of the machine it runs on; main says it. */
export interface Machine {
  /** The Node that runs handlers without an interpreter of their own. */
  readonly nodePath: string;
  /** PATH, HOME, TMPDIR and LANG of the node, where they are set: all that handlers see of its environment. */
  readonly variables: Readonly<Record<string, string>>;
}
