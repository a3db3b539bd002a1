// Choosing rows of a list: all of a page at once, and how many are chosen. Without this script they are ticked one by
// one, and the same buttons send them.
const form = document.querySelector('[data-choose]');
if (form) {
  const all = form.querySelector('[data-all]');
  const count = form.querySelector('[data-count]');
  const buttons = form.querySelectorAll('[data-send]');
  const boxes = [...form.elements].filter((element) => element.name === 'id');

  const show = () => {
    const chosen = boxes.filter((box) => box.checked).length;
    all.checked = chosen === boxes.length;
    all.indeterminate = chosen > 0 && chosen < boxes.length;
    count.textContent = chosen > 0 ? ` (${chosen})` : '';
    for (const button of buttons) button.disabled = chosen === 0;
  };
  all.closest('label').hidden = false;
  all.addEventListener('change', () => {
    for (const box of boxes) box.checked = all.checked;
    show();
  });
  for (const box of boxes) box.addEventListener('change', show);
  // A browser that comes back to this page remembers what was ticked.
  addEventListener('pageshow', show);
  show();
}
