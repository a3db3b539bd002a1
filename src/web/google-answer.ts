import { type Request, type Response, Router } from 'express';
import type { ErrorWords } from './errors.ts';
import { callbackPaths } from './google-flows.ts';
import { page } from './render.ts';
import { saveSession } from './session.ts';

/** Where somebody reads why Google's answer came to nothing. */
const answerPath = '/google/answer';

/** Whether Google sends people back to this path. */
export function isCallback(path: string): boolean {
  return Object.values<string>(callbackPaths).includes(path);
}

/**
 * Leads from a callback that came to nothing to a page that says why. The callback's address carries Google's code and
 * our state: it must stay neither in the address bar and the history, nor in what somebody copies from there into a
 * question for help.
 *
 * @returns false where this browser has no session to keep the words in: nothing was answered
 */
export async function leaveCallback(req: Request, res: Response, words: ErrorWords): Promise<boolean> {
  if (!req.session) return false;
  req.session.googleAnswer = words;
  try {
    await saveSession(req);
  } catch {
    return false;
  }
  res.redirect(303, answerPath);
  return true;
}

/** The page that says why, as often as it is loaded. */
export function googleAnswerPages(): Router {
  const router = Router();
  router.get(answerPath, async (req, res) => {
    const words = req.session.googleAnswer;
    if (!words) return res.redirect(303, '/');
    res.status(words.status);
    await errorPage(res, words);
  });
  return router;
}

/** The page of an error. */
export async function errorPage(res: Response, { title, message, next, reference, form }: ErrorWords): Promise<void> {
  await page(res, 'errors/page', { title, section: 'none', message, next, reference, form });
}
