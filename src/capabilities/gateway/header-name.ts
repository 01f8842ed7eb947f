import * as s from '../../kernel/schema/declare.ts';

/** The declaration of a header's name. */
export const headerName = s.string({ min: 1, max: 128, pattern: "[A-Za-z0-9!#$%&'*+.^_`|~-]+" });
