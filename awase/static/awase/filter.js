/* A long list in a form: what is typed into its search field leaves the rows that say it. The field is there only with
   this script, and is never sent. */
for (const field of document.querySelectorAll("[data-filter]")) {
  const rows = document.getElementById(field.dataset.filter).children;
  field.closest(".field").hidden = false;
  field.addEventListener("input", (event) => {
    event.stopPropagation();
    const wanted = field.value.trim().toLowerCase();
    for (const row of rows) row.hidden = !row.querySelector("label").textContent.toLowerCase().includes(wanted);
  });
  field.addEventListener("keydown", (event) => {
    if (event.key === "Enter") event.preventDefault();
  });
}
