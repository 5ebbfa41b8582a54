/* Tells a form the browser's own time zone. Without script the person chooses it in the next step. */
for (const field of document.querySelectorAll("[data-own-zone]"))
  field.value = Intl.DateTimeFormat().resolvedOptions().timeZone || "";
