/**
 * Which of the requests that wait goes first, as the Open Inference Protocol counts: 1 is the highest, larger
 * numbers come later, and 0 stands for the one that a request has without naming any.
 */
export const DEFAULT_PRIORITY = 8;

/** The level of a request's own number. */
export const priorityLevel = (asked: number | undefined): number => asked || DEFAULT_PRIORITY;
