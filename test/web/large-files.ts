const spaces = [
  'xmlns="urn:oasis:names:specification:ubl:schema:xsd:Order-2"',
  'xmlns:cac="urn:oasis:names:specification:ubl:schema:xsd:CommonAggregateComponents-2"',
  'xmlns:cbc="urn:oasis:names:specification:ubl:schema:xsd:CommonBasicComponents-2"',
].join(' ');

/** An order of a company, as a UBL file: with these lines, and with whatever else. */
function order(buyer: string, lines: string, besides = ''): string {
  const party = (name: string) => `<cac:Party><cac:PartyName><cbc:Name>${name}</cbc:Name></cac:PartyName></cac:Party>`;
  return `<?xml version="1.0" encoding="UTF-8"?><Order ${spaces}><cbc:ID>PO-${lines.length}-${besides.length}</cbc:ID><cbc:IssueDate>2026-12-01</cbc:IssueDate><cbc:DocumentCurrencyCode>EUR</cbc:DocumentCurrencyCode>${besides}<cac:BuyerCustomerParty>${party(buyer)}</cac:BuyerCustomerParty><cac:SellerSupplierParty>${party('Harbour Supplies')}</cac:SellerSupplierParty>${lines}</Order>`;
}

const line = (id: number, more = '') =>
  `<cac:OrderLine><cac:LineItem><cbc:ID>${id}</cbc:ID><cbc:Quantity unitCode="EA">${id}</cbc:Quantity><cac:Price><cbc:PriceAmount currencyID="EUR">12.345</cbc:PriceAmount></cac:Price><cac:Item><cbc:Name>Pen ${id}</cbc:Name>${more}</cac:Item></cac:LineItem></cac:OrderLine>`;

/** As many lines as a record may have, each with details that have no place of their own. */
export function largeOrder(buyer: string): string {
  const property =
    '<cac:AdditionalItemProperty><cbc:Name>Colour</cbc:Name><cbc:Value>Blue</cbc:Value></cac:AdditionalItemProperty>';
  return order(buyer, Array.from({ length: 5_000 }, (_, index) => line(index + 1, property)).join(''));
}

/** So many attributes, on as few elements as may have them. */
export function manyAttributes(buyer: string, count: number): string {
  const attributes = Array.from({ length: 50 }, (_, index) => `a${index}="1"`).join(' ');
  return order(buyer, line(1), `<cbc:Note ${attributes}/>`.repeat(count / 50));
}
