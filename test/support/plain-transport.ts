import PostalMime from 'postal-mime';
import type { SendResult, Transport } from '../../src/transport/transport.ts';
import { deliveryHeader, type NotPermitted, NotPermittedError } from '../../src/transport/transport.ts';

/** A provider as plain as one can be: it takes an email or does not, and nothing can be seen afterwards. */
export interface PlainProvider {
  readonly transport: Transport;
  /** What it answers to the next emails, one after the other; after them it accepts all. */
  answer(...answers: (SendResult | 'accepts' | 'accepts and says nothing' | 'says nothing')[]): void;
  /** Lets no mailbox send, until it is told null. */
  refuse(why: NotPermitted | null): void;
  /** The ids of the deliveries that it accepted, one for each time. */
  accepted(): readonly string[];
}

const lost: SendResult = {
  kind: 'failed',
  failure: { kind: 'lost', code: 'ECONNRESET', message: 'The connection was lost before it answered.' },
  outcome: { kind: 'unknown', words: 'The connection was lost before it answered.' },
};

/** A second provider, so that the engine is seen to know none. */
export function plainProvider(): PlainProvider {
  const answers: Parameters<PlainProvider['answer']>[number][] = [];
  const accepted: string[] = [];
  let refused: NotPermitted | null = null;
  const accept = async (mime: Buffer): Promise<SendResult> => {
    const { headers } = await PostalMime.parse(mime);
    accepted.push(headers.find(({ key }) => key === deliveryHeader.toLowerCase())?.value ?? '');
    return { kind: 'sent', sent: { messageId: `plain-${accepted.length}`, threadId: `plain-${accepted.length}` } };
  };
  return {
    answer: (...next) => void answers.push(...next),
    refuse(why) {
      refused = why;
    },
    accepted: () => accepted,
    transport: {
      provider: 'gmail',
      viaOf: () => 'message',
      permitsAtHand: async () => new Map(),
      async permit() {
        if (refused) throw new NotPermittedError(refused);
        return {
          async send({ mime }) {
            const answer = answers.shift() ?? 'accepts';
            if (answer === 'accepts') return accept(mime);
            if (answer === 'says nothing') return lost;
            if (answer !== 'accepts and says nothing') return answer;
            await accept(mime);
            return lost;
          },
        };
      },
      dropPermit: async () => {},
      operatorTroubles: async () => [],
      mayConcernAll: () => false,
    },
  };
}
