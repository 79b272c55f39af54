/** Steps in each run of the crash test. */
export const STEP_COUNT = 12;
