import { describe, expect, it } from 'vitest';
import { inTenant } from '../../src/tenants/scope.ts';
import { found } from '../support/found.ts';
import { dana, office, openDesk } from './desk.ts';
import { follow, leading, press, signIn } from './person.ts';

const mira = 'mira@northgate.example';

const desk = openDesk({ worker: false, connected: [office] });

const company = async () => (await desk.page.locator('.who-company').first().textContent())?.trim();
const ofName = (name: string) =>
  desk.letterhead.database.system.selectFrom('tenants').selectAll().where('name', '=', name).executeTakeFirstOrThrow();

describe('two companies in two tabs', () => {
  it('what is saved in the first after switching in the second changes neither, and is saved after switching back', async () => {
    const { page } = desk;
    await found(desk.letterhead, dana, 'Brightwater Boats');
    await page.goto('/settings/company');
    await page.getByLabel('Street').first().fill('1 Quay Street');

    const second = await desk.manager.context.newPage();
    await second.goto('/');
    await second.locator('.switcher summary').click();
    await press(second, 'Brightwater Boats');
    expect(await second.locator('.who-company').first().textContent()).toContain('Brightwater Boats');

    await press(page, 'Save');
    expect(await page.locator('h1').textContent()).toBe('This page belongs to Brightwater Joinery');
    for (const name of ['Brightwater Joinery', 'Brightwater Boats']) {
      const { id } = await ofName(name);
      const row = await inTenant(desk.letterhead.database.db, id, (trx) =>
        trx.selectFrom('tenants').selectAll().where('id', '=', id).executeTakeFirstOrThrow(),
      );
      expect(JSON.stringify(row)).not.toContain('Quay Street');
    }
    await press(page, /^Switch back to Brightwater Joinery/);
    expect(await company()).toBe('Brightwater Joinery');
    expect(await page.getByLabel('Street').first().inputValue()).toBe('1 Quay Street');
    await second.close();
  });
});

describe('an invitation', () => {
  it('moves nobody: whoever is invited reads by whom, accepts, and stays where they were until they switch', async () => {
    const { page } = desk;
    await found(desk.letterhead, mira, 'Northgate Supplies');
    await page.goto('/settings/members');
    await page.getByLabel('Email address').fill(mira);
    await press(page, 'Invite');

    const { page: hers } = await desk.another();
    await signIn(hers, mira);
    expect(await hers.locator('.who-company').first().textContent()).toBe('Northgate Supplies');
    await follow(hers, 'You are invited to a company');
    await follow(hers, /^Open the invitation/);
    expect(await hers.locator('#main').textContent()).toContain(dana);
    await press(hers, /^Accept/);
    await hers.goto('/');
    await hers.locator('.switcher summary').click();
    const own = hers.getByRole('button', { name: 'Northgate Supplies' });
    expect(await own.getAttribute('aria-current')).toBe('true');
    await leading(hers, () => hers.getByRole('button', { name: 'Brightwater Joinery' }).click());
    expect(await hers.locator('#main h1').textContent()).toContain('Hello');
    expect(await hers.locator('.switcher .who-company').textContent()).toBe('Brightwater Joinery');
  });
});
