// The second click of a double click sends nothing: the answer to it would be that there is nothing to do any more, in
// place of what came of the first. Without this script that is what is shown; nothing is ever done twice.
const doubleClickMs = 3_000;
let last = { form: null, at: 0 };

document.addEventListener('submit', (event) => {
  const { target: form, timeStamp: at } = event;
  if (event.defaultPrevented || form.method !== 'post') return;
  if (form === last.form && at - last.at < doubleClickMs) event.preventDefault();
  else last = { form, at };
});
