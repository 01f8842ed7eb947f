/** One thing to say of a section of the config file that its shape alone cannot. */
export interface SectionProblem {
  /** Below the section, or below the options that were asked about. */
  readonly path: readonly (string | number)[];
  readonly message: string;
}
