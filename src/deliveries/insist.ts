import { passed } from '../platform/clock.ts';
import type { DeliverContext } from './context.ts';
import { IllegalMoveError } from './state.ts';

/** Does it again, every half second, while it fails and there is time; then the last error is thrown. */
export async function insist(
  { clock }: Pick<DeliverContext, 'clock'>,
  forMs: number,
  work: () => Promise<void>,
): Promise<void> {
  const until = clock().getTime() + forMs;
  while (true) {
    try {
      return await work();
    } catch (error) {
      if (error instanceof IllegalMoveError || clock().getTime() > until) throw error;
      await passed(clock, 500);
    }
  }
}
