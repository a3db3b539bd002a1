// "Select all" ticks the boxes below it, and follows them. Without this script the server reads it the same way.
const all = document.querySelector('[data-select-all]');
const boxes = [...document.querySelectorAll('input[name="scope"]')];
if (all) {
  all.addEventListener('change', () => {
    for (const box of boxes) box.checked = all.checked;
  });
  for (const box of boxes) {
    box.addEventListener('change', () => {
      all.checked = boxes.every((other) => other.checked);
    });
  }
}
