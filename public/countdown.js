// Counts the seconds down in which an email can still be taken back. Without this script the page says until when.
setInterval(() => {
  for (const shown of document.querySelectorAll('[data-countdown]')) {
    const left = Math.max(0, Number(shown.dataset.countdown) - 1);
    shown.dataset.countdown = String(left);
    shown.textContent = left === 1 ? '1 second' : `${left} seconds`;
  }
}, 1000);
