// A contact's details come once its name was typed. What is typed while they are on their way is newer than they are: then
// the form stays as it is, and who it is for is decided when the record is saved.
const card = document.getElementById('party-card');
const asked = new WeakMap();

card.addEventListener('htmx:before:request', ({ detail: { ctx } }) => asked.set(ctx, typed()));
card.addEventListener('htmx:before:swap', (event) => {
  if (asked.get(event.detail.ctx) !== typed()) event.preventDefault();
});

function typed() {
  const fields = [...card.querySelectorAll('input, select, textarea')];
  return JSON.stringify(fields.map(({ name, value, checked }) => [name, value, checked]));
}
