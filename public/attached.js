// Adds up what goes along with an email while boxes are ticked. Without this script the page says it once it is sent.
const files = document.getElementById('files');
const sum = files?.querySelector('[data-sum]');

if (sum) {
  const { pdf, most, locale } = sum.dataset;
  const say = (bytes) => {
    const inUnit = (unit, digits) =>
      new Intl.NumberFormat(locale, { maximumFractionDigits: digits }).format(bytes / unit);
    if (bytes < 1_000_000) return `${bytes < 1_024 ? 1 : inUnit(1_024, 0)} KB`;
    return `${inUnit(1_048_576, 1)} MB`;
  };
  const show = () => {
    const ticked = [...files.querySelectorAll('input[name=files]:checked')];
    const bytes = ticked.reduce((total, { dataset }) => total + Number(dataset.size), Number(pdf));
    sum.querySelector('output').textContent = say(bytes);
    sum.classList.toggle('error', bytes > Number(most));
  };
  // Boxes are ticked by people, by a form that was kept, and by a browser that comes back to the page.
  files.closest('form').addEventListener('input', show);
  addEventListener('pageshow', show);
}
