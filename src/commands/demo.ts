import { createDocument, type DraftContent } from '../documents/store.ts';
import type { Database } from '../platform/database.ts';
import { inTenant } from '../tenants/scope.ts';
import { rememberPerson } from '../tenants/system.ts';
import { createTenant, updateTenant } from '../tenants/tenants.ts';

/** The Google account that becomes the demo company's owner. */
export interface DemoAccount {
  readonly sub: string;
  readonly email: string;
  readonly name: string;
}

const company = { name: 'Brightwater Joinery', country: 'IE', currency: 'EUR', timeZone: 'Europe/Dublin' };
const letterhead = {
  street: '12 Quay Street',
  extraStreet: null,
  city: 'Galway',
  postalCode: 'H91 X2YF',
  region: null,
  taxId: 'IE1234567T',
  email: 'office@brightwater.example',
  phone: '+353 91 555 0142',
  website: 'brightwater.example',
  paymentDetails: 'IBAN IE64 IRCE 9205 0112 3456 78',
};

/** Fills an empty installation with one company and a record of each kind, so that there is something to send. */
export async function fillDemo(
  { db, system }: { db: Database; system: Database },
  account: DemoAccount,
  issuer: string,
): Promise<void> {
  const { sub, email, name } = account;
  const personId = await rememberPerson(system, { issuer, sub, email, name });
  const { tenantId, memberId } = await createTenant(db, company, { personId, email, name }, { isDemo: true });
  await inTenant(db, tenantId, async (trx) => {
    await updateTenant(trx, tenantId, { ...company, ...letterhead });
    for (const content of records()) await createDocument(trx, tenantId, { content, memberId });
  });
}

function records(): DraftContent[] {
  const day = (offset: number) => new Date(Date.now() + offset * 86_400_000).toISOString().slice(0, 10);
  const common = { currency: 'EUR', adjustments: [], notes: [], extras: [] };
  const line = (name: string, quantity: string, unitPrice: string, taxRate = '23') => ({
    name,
    quantity,
    unitPrice,
    taxRate,
    adjustments: [],
    extras: [],
  });
  const northgate = {
    name: 'Northgate Café',
    contactName: 'Mira Okafor',
    email: 'mira@northgate.example',
    street: '3 Market Lane',
    city: 'Galway',
    postalCode: 'H91 A2B3',
    country: 'IE',
  };
  const harbour = {
    name: 'Harbour Hotel',
    contactName: 'Seán Ó Briain',
    email: 'stay@harbour.example',
    street: '1 Long Walk',
    city: 'Galway',
    country: 'IE',
  };
  const elm = {
    name: 'Elm & Sons Timber',
    email: 'orders@elm.example',
    street: 'Unit 4, Liosbán',
    city: 'Galway',
    country: 'IE',
  };
  return [
    {
      ...common,
      kind: 'invoice',
      issueDate: day(0),
      dueDate: day(14),
      party: northgate,
      reference: 'Café refit',
      lines: [
        { ...line('Oak counter', '3.2', '306.25', '13.5'), unit: 'MTR' },
        line('Shelves', '4', '60.00', '13.5'),
        { ...line('Fitting', '5', '38.00', '13.5'), unit: 'HUR' },
      ],
      paymentTerms: 'Payable within 14 days.',
      notes: ['Thank you for your business.'],
    },
    {
      ...common,
      kind: 'quote',
      issueDate: day(-1),
      validUntil: day(29),
      party: harbour,
      lines: [line('Reception desk, walnut', '1', '4250.00'), line('Delivery and fitting', '1', '380.00', '13.5')],
    },
    {
      ...common,
      kind: 'purchase_order',
      issueDate: day(-2),
      deliveryDate: day(5),
      party: elm,
      lines: [{ ...line('European oak, planed, 32 mm', '1.8', '2100.00'), unit: 'MTQ' }],
    },
    {
      ...common,
      kind: 'credit_note',
      issueDate: day(-3),
      party: northgate,
      lines: [line('One shelf returned', '1', '60.00', '13.5')],
    },
  ];
}
