/** The move of a delivery whose run was paused. */
export const pausedWithRun = { to: 'held', heldReason: 'run_paused', detail: 'Its run was paused.' } as const;

/** The move of a delivery whose run was cancelled. */
export const cancelledWithRun = { to: 'cancelled', detail: 'Its run was cancelled.' } as const;
