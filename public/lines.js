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
  mark([...document.querySelectorAll('#totals .mark')]);
});

// What was typed and not saved comes back: with the rows that there were then.
document.getElementById('document-form').addEventListener('unsaved-returns', ({ detail: names }) => {
  const keys = [...new Set(names.flatMap((name) => /^lines\[(\d+)\]/.exec(name)?.[1] ?? []))].map(Number);
  if (keys.length === 0) return;
  const there = new Map(
    [...rows.children].map((row) => [Number(/\d+/.exec(row.querySelector('input').name)?.[0]), row]),
  );
  for (const [key, row] of there) if (!keys.includes(key)) row.remove();
  for (const key of keys.filter((each) => !there.has(each))) {
    rows.insertAdjacentHTML('beforeend', template.innerHTML.replaceAll('__i__', String(key)));
  }
  made = Math.max(made, ...keys.map((key) => key + 1));
  number();
});

// A fresh page with problems starts at what is to mend.
document.querySelector('.problems')?.focus();

// Says beside each number what came of it: that it cannot be read, or as what it was read.
function mark(marks) {
  for (const input of rows.querySelectorAll('input.num')) {
    const said = marks.find((each) => each.dataset.field === input.name);
    for (const end of ['error', 'read']) document.getElementById(`${input.name}-${end}`)?.remove();
    if (said?.dataset.tone === 'error') input.setAttribute('aria-invalid', 'true');
    else input.removeAttribute('aria-invalid');
    input.removeAttribute('aria-describedby');
    if (!said) continue;
    const words = document.createElement('p');
    const label = input.labels[0].textContent.trim();
    words.id = `${input.name}-${said.dataset.tone}`;
    words.className = said.dataset.tone === 'error' ? 'error line-error' : 'hint line-error';
    const text = said.value;
    words.textContent =
      said.dataset.tone === 'error' ? text : `${label}: ${text.charAt(0).toLowerCase()}${text.slice(1)}`;
    input.setAttribute('aria-describedby', words.id);
    input.closest('.line').querySelector('.line-description').before(words);
  }
}

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
