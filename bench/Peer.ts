// What every client under measurement can be asked: so many operations, so many at once.

export interface Peer {
  /** Asks for answers; gives how many came. */
  readonly chat?: (count: number, concurrency: number) => Promise<number>
  /** Reads streamed answers; gives how many chunks of text came. */
  readonly stream?: (count: number, concurrency: number) => Promise<number>
  /** Embeds texts, 32 in a request; gives how many vectors came. */
  readonly embed?: (count: number, concurrency: number) => Promise<number>
}

/** Runs so many, so many at once; gives the sum of what each gives. */
export const pool = async (
  count: number,
  concurrency: number,
  one: () => Promise<number>
): Promise<number> => {
  let left = count
  let sum = 0
  const work = async () => {
    while (left-- > 0) {
      const done = await one()
      sum += done
    }
  }
  await Promise.all(Array.from({ length: Math.min(count, concurrency) }, work))
  return sum
}

export const textsAPack = 32
export const texts = Array.from(
  { length: textsAPack },
  (_, index) => `Text ${index} to be embedded.`
)
