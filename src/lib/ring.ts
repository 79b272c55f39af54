/** A bounded buffer that forgets its oldest item when it is full. */
export interface Ring<T> {
  push(item: T): void;
  /** Oldest first; a copy. */
  values(): T[];
  clear(): void;
}

export function createRing<T>(capacity: number): Ring<T> {
  let items: T[] = [];
  let oldest = 0;
  return {
    push(item) {
      if (items.length < capacity) {
        items.push(item);
        return;
      }
      items[oldest] = item;
      oldest = (oldest + 1) % capacity;
    },
    values: () => [...items.slice(oldest), ...items.slice(0, oldest)],
    clear() {
      items = [];
      oldest = 0;
    },
  };
}
