import { expect, it } from 'vitest';
import { answerUndoMs } from '../../src/deliveries/answers.ts';
import { eventually } from '../support/eventually.ts';
import { office } from './desk.ts';
import { openTextDesk, sendAtOnce, showing } from './text-desk.ts';

const desk = openTextDesk({ connected: [office] });
const standsAs = (state: string) => showing(desk.page, `[data-state=${state}]`);
/** Opens the page anew until it says so. */
const says = (words: string) =>
  eventually(
    async () => {
      await desk.page.reload();
      return desk.page.text();
    },
    (text) => text.includes(words),
  );
const sendTest = async () => {
  await desk.page.goto('/settings/email');
  await desk.page.press('Send a test email to myself');
};

it('what is held says why first, and its button ends that', async () => {
  const { page } = desk;
  await sendAtOnce(page);
  await page.goto('/settings/email');
  await page.follow(/office@/);
  await page.press('Pause');
  await sendTest();
  await standsAs('held');
  expect(page.text()).toMatch(/Held office@brightwater\.example was paused by .+ at \d\d:\d\d Resume It leaves when/);
  expect(page.buttons('Send now')).toEqual([]);
  await page.press('Resume');
  await standsAs('sent');
});

it('an answer about an unconfirmed email counts down, and is undone', async () => {
  const { page, google } = desk;
  desk.fault({ kind: 'drop', when: 'after' }, 'messages.send');
  await sendTest();
  await says('In doubt');
  google.clock.forward(400_000);
  await standsAs('unconfirmed');
  expect(page.text('#question')).toContain(`folder of ${office}`);
  expect(page.text('#question code')).toContain('in:sent to:dana@brightwater.example');
  await page.press('It is not there: send again');
  expect(Number(page.attribute('[data-countdown]', 'data-countdown'))).toBeGreaterThan(answerUndoMs / 2_000);
  await page.press('Undo');
  await standsAs('unconfirmed');
  await page.press('It is there: mark as sent');
  google.clock.forward(answerUndoMs);
  await says('found it in Gmail and marked it as sent');
});
