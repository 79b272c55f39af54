/** Makes a function that does one piece of work at a time, in the order it was asked for. */
export function createTurns(): <T>(work: () => Promise<T>) => Promise<T> {
  let last: Promise<unknown> = Promise.resolve();
  return (work) => {
    const turn = last.then(work);
    // A failure is for who asked for that work, not for the next.
    last = turn.catch(() => undefined);
    return turn;
  };
}
