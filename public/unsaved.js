// Keeps what somebody has typed into a form and not saved: asks before the page is left, and offers it again after a
// crash. It stands in this browser's own storage, by company, member and form; it is forgotten once the form was saved,
// after two weeks, and at sign-out. Secrets are in no such form, and neither passwords, files nor hidden fields are kept.
const prefix = 'letterhead-unsaved:';
const keptMs = 14 * 86_400_000;
const pauseMs = 300;
const { keeper } = document.body.dataset;
const form = document.querySelector('form[data-unsaved-as]');
// Whoever signs out leaves nothing behind, whatever the page does on its way out.
let isSignedOut = false;

forgetOld();
settleSubmitted();
if (keeper && form) watch(form, `${prefix}${keeper}:${form.dataset.unsavedAs}`);

document.addEventListener('submit', ({ target, defaultPrevented }) => {
  if (new URL(target.action, location.href).pathname === '/sign-out') forgetAll();
  const ends =
    target.dataset.unsavedEnds ?? (target.dataset.unsavedGoesOn === undefined ? target.dataset.unsavedAs : undefined);
  if (!defaultPrevented && keeper && ends) sessionStorage.setItem(`${prefix}sent`, `${prefix}${keeper}:${ends}`);
});

function watch(form, key) {
  const saved = JSON.stringify(read(form));
  // A page that says what is wrong shows what is not saved.
  const isShownUnsaved = form.dataset.unsavedNow !== undefined;
  let isLeaving = false;
  let timer;
  const isDirty = () => isShownUnsaved || JSON.stringify(read(form)) !== saved;
  const keep = () => {
    clearTimeout(timer);
    timer = undefined;
    if (isSignedOut) return;
    if (isDirty()) store(key, { at: Date.now(), fields: read(form) });
    else localStorage.removeItem(key);
  };
  const before = recall(key);
  if (isShownUnsaved) keep();
  else if (before && JSON.stringify(before.fields) === saved) localStorage.removeItem(key);
  else if (before) offer(form, key, before);

  const touched = () => {
    clearTimeout(timer);
    timer = setTimeout(keep, pauseMs);
  };
  form.addEventListener('input', () => {
    isSignedOut = false;
  });
  for (const event of ['input', 'change', 'lines-changed']) form.addEventListener(event, touched);
  addEventListener('pagehide', () => timer !== undefined && !isLeaving && keep());
  form.addEventListener('submit', (event) => {
    if (timer !== undefined) keep();
    isLeaving = !event.defaultPrevented;
  });
  addEventListener('pageshow', ({ persisted }) => {
    if (persisted) isLeaving = false;
  });
  addEventListener('beforeunload', (event) => {
    if (!isLeaving && isDirty()) event.preventDefault();
  });
}

// What was typed, as [name, value], in the order of the form.
function read(form) {
  const fields = [];
  for (const control of form.elements) {
    const { name, type, value } = control;
    if (!name || control.dataset.unsaved === 'no' || ['password', 'file', 'submit', 'button', 'reset'].includes(type))
      continue;
    if (type === 'hidden' && control.dataset.unsaved !== 'yes') continue;
    if ((type === 'checkbox' || type === 'radio') && !control.checked) continue;
    if (control.tagName !== 'BUTTON' && control.tagName !== 'FIELDSET') fields.push([name, value]);
  }
  return fields;
}

function putBack(form, fields) {
  // The form makes room first: a record may have had other lines.
  form.dispatchEvent(new CustomEvent('unsaved-returns', { detail: fields.map(([name]) => name) }));
  const left = Map.groupBy(fields, ([name]) => name);
  const names = new Set(read(form).map(([name]) => name));
  for (const control of form.elements) {
    const { name, type } = control;
    const theirs = left.get(name);
    if (type === 'checkbox' || type === 'radio') {
      if (theirs || names.has(name)) control.checked = theirs?.some(([, value]) => value === control.value) ?? false;
    } else if (theirs && theirs.length > 0 && type !== 'password' && type !== 'file' && control.tagName !== 'BUTTON') {
      control.value = theirs.shift()[1];
    }
  }
  form.dispatchEvent(new Event('input', { bubbles: true }));
}

/** As pages say it: `Tue 09:24`. */
function sayWhen(date) {
  const { locale } = document.documentElement.dataset;
  const day = date.toLocaleDateString(locale, { weekday: 'short' });
  return `${day} ${date.toLocaleTimeString(locale, { hour: '2-digit', minute: '2-digit', hourCycle: 'h23' })}`;
}

function offer(form, key, { at, fields }) {
  const notice = document.getElementById('unsaved-notice').content.cloneNode(true).firstElementChild;
  notice.querySelector('time').textContent = sayWhen(new Date(at));
  notice.addEventListener('click', ({ target }) => {
    if (target.name === 'put-back') putBack(form, fields);
    else if (target.name === 'forget') localStorage.removeItem(key);
    else return;
    notice.remove();
    form.querySelector('input:not([type=hidden]), textarea')?.focus();
  });
  form.before(notice);
}

// A form that was sent is saved, unless the page that came says that it was not.
function settleSubmitted() {
  const key = sessionStorage.getItem(`${prefix}sent`);
  if (!key) return;
  sessionStorage.removeItem(`${prefix}sent`);
  const [here] = performance.getEntriesByType('navigation');
  const isRefused = (here?.responseStatus ?? 200) >= 400 || !keeper || form?.dataset.unsavedNow !== undefined;
  if (!isRefused) localStorage.removeItem(key);
  // Refused for now: the page can send it once more, and is then the one that settles it.
  const onceMore = document.querySelector('form[data-unsaved-once-more]');
  onceMore?.addEventListener('submit', () => sessionStorage.setItem(`${prefix}sent`, key));
}

function recall(key) {
  try {
    const kept = JSON.parse(localStorage.getItem(key) ?? 'null');
    return Array.isArray(kept?.fields) ? kept : undefined;
  } catch {
    return undefined;
  }
}

function store(key, kept) {
  try {
    localStorage.setItem(key, JSON.stringify(kept));
  } catch {
    // The browser keeps no more: then it only asks before the page is left.
  }
}

function forgetOld() {
  for (const key of keys()) if (!(Date.now() - (recall(key)?.at ?? 0) < keptMs)) localStorage.removeItem(key);
}

function forgetAll() {
  isSignedOut = true;
  for (const key of keys()) localStorage.removeItem(key);
}

function keys() {
  return Object.keys(localStorage).filter((key) => key.startsWith(prefix));
}
