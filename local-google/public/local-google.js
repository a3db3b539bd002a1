// A message is shown as tall as it is. It runs no script of its own.
const frame = document.querySelector('iframe.rich');
const resize = () => {
  const height = frame.contentDocument?.documentElement?.scrollHeight;
  if (height) frame.height = height + 4;
};
if (frame) {
  frame.addEventListener('load', resize);
  resize();
}

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
