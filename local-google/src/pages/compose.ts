import { type Request, type Response, Router, urlencoded } from 'express';
import MailComposer from 'nodemailer/lib/mail-composer/index.js';
import type { Account } from '../accounts.ts';
import { Refusal } from '../answers.ts';
import { sendMessage } from '../delivery.ts';
import { type Message, messageHeader } from '../mailboxes.ts';
import { parseAddresses } from '../mime/addresses.ts';
import type { World } from '../world.ts';
import { html } from './render.ts';

/** The client id under which truth lists what people write here. */
const WEB_MAIL = 'local-web-mail';

/** What stands in the form. */
interface Letter {
  from: string;
  to: string;
  subject: string;
  text: string;
  reply: string;
}

/** Writing mail by hand, from any address the mailbox may send as; and answering what came. */
export function composePages(world: World): Router {
  const router = Router();
  const path = '/mail/:account/compose';

  router.get(path, (req, res) => {
    const account = world.accounts.byEmail(String(req.params['account']));
    if (!account) return html(res, 'missing', { title: 'No such mailbox' }, 404);
    const answered = world.mail.get(account.email, String(req.query['reply'] ?? ''));
    return show(res, account, answered ? replyTo(account, answered) : empty(account), null);
  });

  router.post(path, urlencoded({ extended: false }), async (req: Request, res: Response) => {
    const account = world.accounts.byEmail(String(req.params['account']));
    if (!account) return html(res, 'missing', { title: 'No such mailbox' }, 404);
    const letter = readLetter(req, account);
    const answered = world.mail.get(account.email, letter.reply);
    try {
      const raw = await build(letter, answered);
      const threadId = answered?.threadId ?? null;
      sendMessage(world, { account, clientId: WEB_MAIL, via: 'web', raw, threadId });
    } catch (error) {
      if (!(error instanceof Refusal)) throw error;
      return show(res, account, letter, wordsOf(error));
    }
    return res.redirect(303, `/mail/${encodeURIComponent(account.email)}/sent`);
  });

  function show(res: Response, account: Account, letter: Letter, problem: string | null): void {
    const addresses = account.sendAs.filter(({ status }) => status !== 'pending');
    const data = { title: letter.reply === '' ? 'Write' : 'Reply', account, mailbox: account.email, folder: 'compose' };
    html(res, 'mail/compose', { ...data, letter, addresses, problem }, problem === null ? 200 : 400);
  }

  return router;
}

function empty(account: Account): Letter {
  const from = account.sendAs.find(({ isDefault }) => isDefault)?.email ?? account.email;
  return { from, to: '', subject: '', text: '', reply: '' };
}

/** An answer goes to Reply-To, else From, and comes from the address that the mail was for. */
function replyTo(account: Account, message: Message): Letter {
  const [writer] = parseAddresses(messageHeader(message, 'Reply-To') ?? messageHeader(message, 'From') ?? '');
  const subject = messageHeader(message, 'Subject') ?? '';
  const own = account.sendAs.find(({ email, status }) => status !== 'pending' && message.envelope.includes(email));
  return {
    ...empty(account),
    ...(own ? { from: own.email } : {}),
    to: writer?.address ?? '',
    subject: /^re:/i.test(subject) ? subject : `Re: ${subject}`,
    reply: message.id,
  };
}

function readLetter(req: Request, account: Account): Letter {
  const body: Record<string, unknown> = req.body ?? {};
  const field = (name: string) => String(body[name] ?? '');
  const from = field('from') || empty(account).from;
  return { from, to: field('to'), subject: field('subject'), text: field('text'), reply: field('reply') };
}

async function build(letter: Letter, answered: Message | undefined): Promise<Buffer> {
  const messageId = answered && messageHeader(answered, 'Message-ID');
  const earlier = answered ? (messageHeader(answered, 'References') ?? '') : '';
  return new MailComposer({
    from: letter.from,
    to: letter.to,
    subject: letter.subject,
    text: letter.text,
    ...(messageId ? { inReplyTo: messageId, references: `${earlier} ${messageId}`.trim() } : {}),
  })
    .compile()
    .build();
}

function wordsOf(refusal: Refusal): string {
  const message: unknown = Object(Object(refusal.answer.body).error).message;
  return `Local Google refuses: ${String(message)}`;
}
