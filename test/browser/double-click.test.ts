import { expect, it } from 'vitest';
import { dana, office, openDesk } from './desk.ts';
import { follow, leading, press } from './person.ts';
import { threeRecords } from './records.ts';

const desk = openDesk({ timeStands: true, connected: [office] });

it('a double click is one click, and what came of it is what the page says', async () => {
  const { page } = desk;
  const [record] = await threeRecords(desk.letterhead.database, dana);
  if (!record) throw new Error('no record');
  await follow(page, 'Invoices');
  await follow(page, record.number);
  await follow(page, 'Send invoice');
  await press(page, 'Send invoice');

  // What is posted is held up until both clicks are through, as on a slow line.
  const posted: string[] = [];
  const clicked = Promise.withResolvers<void>();
  const isDecision = ({ pathname }: URL) => pathname.endsWith('/decision');
  await page.route(isDecision, async (route) => {
    posted.push(new URL(route.request().url()).pathname);
    await clicked.promise;
    await route.fallback();
  });
  await leading(page, async () => {
    // In the page, so that no slow machine makes two separate clicks of it.
    await page.getByRole('button', { name: 'Undo' }).evaluate(async (button: { click(): void }) => {
      button.click();
      await new Promise((resolve) => setTimeout(resolve, 200));
      button.click();
    });
    clicked.resolve();
  });
  expect(posted).toEqual([expect.stringMatching(/^\/deliveries\/.*\/decision$/)]);
  expect(await page.getByRole('main').textContent()).toContain('Undone: nothing was sent.');
});
