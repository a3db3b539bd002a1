// Adds and removes rows of a record's lines without asking the server. Without this script the same buttons submit
// the form, and the server does it.
const rows = document.getElementById('lines');
const template = document.getElementById('line-template');
// Rows are named by numbers that are never used twice, so that a removed one leaves the others alone.
let made = Number(template.dataset.next);

// Sums come by themselves here.
document.querySelector('[data-without-script]')?.remove();

document.addEventListener('click', (event) => {
  const button = event.target.closest('[data-add-line], [data-remove-line]');
  if (!button) return;
  event.preventDefault();
  if (button.hasAttribute('data-add-line')) addRow();
  else removeRow(button.closest('.line'));
  number();
  rows.dispatchEvent(new CustomEvent('lines-changed', { bubbles: true }));
});

// The net amount of each row comes with the totals, in the order of the rows.
document.addEventListener('htmx:after:swap', () => {
  const nets = [...document.querySelectorAll('#totals .net')];
  [...rows.children].forEach((row, index) => {
    row.querySelector('output').textContent = nets[index]?.value ?? '';
  });
});

// A fresh page with problems starts at what is to mend.
document.querySelector('.problems')?.focus();

function addRow() {
  const last = rows.lastElementChild;
  rows.insertAdjacentHTML('beforeend', template.innerHTML.replaceAll('__i__', String(made)));
  made += 1;
  const row = rows.lastElementChild;
  const rate = last?.querySelector('[name$="[taxRate]"]')?.value;
  if (rate) row.querySelector('[name$="[taxRate]"]').value = rate;
  row.querySelector('[name$="[name]"]').focus();
}

function removeRow(row) {
  const next = row.nextElementSibling ?? row.previousElementSibling;
  row.remove();
  if (!next) addRow();
  else next.querySelector('[name$="[name]"]').focus();
}

function number() {
  [...rows.children].forEach((row, index) => {
    row.setAttribute('aria-label', `Line ${index + 1}`);
    row.querySelector('[data-remove-line] .visually-hidden').textContent = `Remove line ${index + 1}`;
  });
}
