/** What an endpoint answers: a status, a JSON body, and headers beside the usual ones. */
export interface Answer {
  status: number;
  body: unknown;
  headers?: Record<string, string>;
}

/** A refusal on its way to the caller; `answer` is sent exactly as it stands. */
export class Refusal extends Error {
  override readonly name = 'Refusal';
  readonly answer: Answer;

  constructor(answer: Answer) {
    super(`Local Google refuses with ${answer.status}`);
    this.answer = answer;
  }
}
