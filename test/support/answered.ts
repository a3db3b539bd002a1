import { answerUndoMs } from '../../src/deliveries/answers.ts';
import { wakeDue } from '../../src/deliveries/due.ts';
import { anotherWorker } from './hand-delivery.ts';
import type { TestLetterhead } from './letterhead.ts';

/** Lets the minute pass in which an answer can be undone, where no worker does. */
export function aMinuteLater(letterhead: TestLetterhead): Promise<void> {
  letterhead.google.clock.forward(answerUndoMs);
  return wakeDue(anotherWorker(letterhead));
}
