/** The time that something may take. Cheaper than an `AbortSignal`, of which each costs listeners. */
export interface TimeLimit {
  readonly isOver: boolean;
  /** What is given up when the time is over; it replaces what was before. */
  gives(up: () => void): void;
  /** Nothing is given up any more. */
  clear(): void;
}

/** @param ms from now on */
export function createTimeLimit(ms: number): TimeLimit {
  let isOver = false;
  let giveUp = () => {};
  const timer = setTimeout(() => {
    isOver = true;
    giveUp();
  }, ms);
  return {
    get isOver() {
      return isOver;
    },
    gives(up) {
      giveUp = up;
      if (isOver) up();
    },
    clear() {
      clearTimeout(timer);
    },
  };
}
