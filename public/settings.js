// Choosing an address means wanting it: its way of sending is then chosen too.
const alias = document.querySelector('#alias');
alias?.addEventListener('change', () => {
  const mode = document.querySelector('#mode-alias');
  if (mode instanceof HTMLInputElement) mode.checked = true;
});
