/* Fills entries that were kept over a log-in into the form that they came from. */
(() => {
  const kept = document.getElementById("kept");
  const values = new Map();
  for (const { name, value } of kept.querySelectorAll("[data-kept]")) values.set(name, [...(values.get(name) || []), value]);
  const path = (form) => new URL(form.getAttribute("action") || "", location.href).pathname;
  const fits = (form) =>
    form !== kept && form.method === "post" && path(form) === path(kept) &&
    [...form.querySelectorAll("input[type=hidden][name=section]")].every((field) => (values.get("section") || [])[0] === field.value);
  const form = [...document.forms].find(fits);
  if (!form) return;
  const used = new Map();
  for (const field of form.elements) {
    if (!field.name || field.type === "hidden" || field.type === "file" || field.type === "password") continue;
    const given = values.get(field.name) || [];
    if (field.type === "checkbox" || field.type === "radio") field.checked = given.includes(field.value);
    else if (field.multiple) for (const option of field.options) option.selected = given.includes(option.value);
    else if (given.length) {
      const number = used.get(field.name) || 0;
      if (number < given.length) field.value = given[number];
      used.set(field.name, number + 1);
    }
  }
  for (let part = form.closest("details"); part; part = part.parentElement.closest("details")) part.open = true;
  form.scrollIntoView({ block: "center" });
})();
