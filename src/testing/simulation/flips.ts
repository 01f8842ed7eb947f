/** Whether runs turn bits of durable bytes: only for a node that starts with a damaged place and answers an error. */
export const FLIPS: boolean = false;

/** Whether the node may refuse to start where a bit was turned. */
export const MAY_REFUSE_START: boolean = true;
