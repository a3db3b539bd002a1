// Says when a page does not show what would be sent any more: at once while somebody types, and now and then, and when
// somebody comes back to it, whether it was changed behind it. Without this script the server says so when Send is pressed;
// nothing that was not shown is ever sent.
const stale = document.getElementById('stale');
const least = 15_000;

if (stale) {
  let asked = 0;
  let wait = least;
  const ask = () => {
    if (document.visibilityState !== 'visible' || stale.childElementCount > 0) return;
    asked = Date.now();
    stale.dispatchEvent(new CustomEvent('check-stale'));
  };
  // A page of thousands takes a while to check: it is asked that much less often.
  document.addEventListener('htmx:after:request', ({ target }) => {
    if (target === stale) wait = Math.max(least, 20 * (Date.now() - asked));
  });
  setInterval(() => {
    if (Date.now() - asked >= wait) ask();
  }, least / 3);
  document.addEventListener('visibilitychange', ask);
}

// What is typed is in the preview a moment later: it is dimmed until then, and says so where that takes long.
const preview = () => document.getElementById('preview');
let late;
for (const texts of document.querySelectorAll('[data-previewed]'))
  texts.addEventListener('input', () => {
    preview()?.setAttribute('data-stale', '');
    clearTimeout(late);
    late = setTimeout(() => preview()?.setAttribute('data-stale', 'late'), 4_000);
  });
document.addEventListener('htmx:after:swap', ({ detail }) => {
  if (detail.ctx.target?.id !== 'preview') return;
  clearTimeout(late);
  preview()?.removeAttribute('data-stale');
});

// What is typed is asked for after a moment. Another record that was asked for meanwhile stays asked for.
document.addEventListener(
  'click',
  ({ target }) => {
    const button = target.closest?.('#preview button[name=place]');
    if (!button) return;
    preview().querySelector('[name=shown]').value = button.value;
    preview().querySelector('[name=find]').value = '';
  },
  true,
);
// Enter in the search field means the button beside it, not the one that sends.
document.addEventListener('keydown', (event) => {
  if (event.key !== 'Enter' || !event.target.matches?.('#preview [name=find]')) return;
  event.preventDefault();
  document.getElementById('preview-find').click();
});

// Boxes that change what would be sent are answered at once.
for (const box of document.querySelectorAll('[data-resubmit]'))
  box.addEventListener('change', () => box.form.requestSubmit(document.getElementById('update')));
