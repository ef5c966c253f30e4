// Loads the page again when a new e-mail came, unless somebody is typing in the search box.
const seen = Number(document.body.dataset.newest);
setInterval(async () => {
  if (document.hidden || document.activeElement?.tagName === "INPUT") return;
  try {
    const answer = await (await fetch("/api/newest")).json();
    if (answer.newest !== seen) location.reload();
  } catch { /* the mailbox is away for a moment */ }
}, 1500);
