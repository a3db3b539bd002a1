import { expect, it } from 'vitest';
import { answerUndoMs } from '../../src/deliveries/answers.ts';
import { eventually } from '../support/eventually.ts';
import { office, openDesk } from './desk.ts';
import { press, sendAtOnce } from './person.ts';

const desk = openDesk({ connected: [office] });
const main = async () => ((await desk.page.getByRole('main').textContent()) ?? '').replace(/\s+/g, ' ');
const standsAs = (state: string) => desk.page.locator(`[data-state=${state}]`).waitFor();
const sendTest = async () => {
  await desk.page.goto('/settings/email');
  await press(desk.page, 'Send a test email to myself');
};

it('what is held says why first, and its button ends that', async () => {
  const { page } = desk;
  await sendAtOnce(page);
  await page.goto('/settings/email');
  await page
    .getByRole('link', { name: /office@/ })
    .first()
    .click();
  await press(page, 'Pause');
  await sendTest();
  await standsAs('held');
  expect(await main()).toMatch(/Held office@brightwater\.example was paused by .+ at \d\d:\d\d Resume It leaves when/);
  expect(await page.getByRole('button', { name: 'Send now' }).count()).toBe(0);
  await press(page, 'Resume');
  await standsAs('sent');
});

it('an answer about an unconfirmed email counts down, and is undone', async () => {
  const { page, google } = desk;
  desk.fault({ kind: 'drop', when: 'after' }, 'messages.send');
  await sendTest();
  await page.getByText('In doubt').first().waitFor();
  google.clock.forward(400_000);
  await standsAs('unconfirmed');
  await page.reload();
  expect(await page.locator('#question').textContent()).toContain(`folder of ${office}`);
  expect(await page.locator('#question code').textContent()).toContain('in:sent to:dana@brightwater.example');
  await press(page, 'It is not there: send again');
  const left = async () => Number(await page.locator('[data-countdown]').getAttribute('data-countdown'));
  expect(await left()).toBeGreaterThan(answerUndoMs / 2_000);
  await press(page, 'Undo');
  await standsAs('unconfirmed');
  await press(page, 'It is there: mark as sent');
  google.clock.forward(answerUndoMs);
  await eventually(main, (text) => text.includes('found it in Gmail and marked it as sent'));
});
