// What is nicer with JavaScript. Nothing here is needed.

document.querySelectorAll("[data-metastore-copy]").forEach((button) => {
  const field = document.getElementById(button.dataset.metastoreCopy);
  if (!field || !navigator.clipboard) return;
  button.hidden = false;
  button.addEventListener("click", async () => {
    await navigator.clipboard.writeText(field.value);
    button.closest("details").querySelector("[role=status]").textContent = button.dataset.metastoreCopied;
  });
});
