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

document.querySelectorAll("[data-metastore-name]").forEach((form) => {
  const field = form.elements.namedItem("name");
  const verdict = form.querySelector("#name-verdict");
  let timer;
  let asked = 0;
  const check = () => {
    clearTimeout(timer);
    timer = setTimeout(async () => {
      const mine = ++asked;
      const query = new URLSearchParams({ name: field.value, tag: form.dataset.metastoreTag });
      const answer = await fetch(`${form.dataset.metastoreName}?${query}`, { headers: { Accept: "application/json" } });
      if (!answer.ok || mine !== asked) return;
      const { good, text } = await answer.json();
      verdict.textContent = text;
      verdict.classList.toggle("metastore-good", good);
      verdict.classList.toggle("metastore-error", !good);
    }, 300);
  };
  field.addEventListener("input", check);
  // Somebody was faster than this script.
  if (field.value !== field.defaultValue) check();
});

document.querySelectorAll("[data-metastore-part]").forEach((box) => {
  box.addEventListener("change", () => {
    if (box.checked) box.form.querySelector("input[name=what][value=parts]").checked = true;
  });
});
