/* The page editor's preview follows what is typed: shortly after the last change the section is sent as it stands, and
   what comes back takes the place of the preview's body, so that neither the focus nor the way back moves. */
(() => {
  const frame = document.getElementById("preview");
  let form = null;
  let timer = 0;
  let latest = 0;

  /* The frame is as long as what it shows, so that nothing at its end is cut, unless that is longer than the window:
     then it scrolls (theme.css). */
  function fit() {
    const shown = frame.contentDocument;
    const last = shown.body.lastElementChild;
    if (!last) return;
    const end = last.getBoundingClientRect().bottom + shown.documentElement.scrollTop;
    frame.style.height = `${Math.ceil(end) + 2}px`;
    fade();
  }

  /* What goes on below the frame's edge fades out there, rather than being cut. */
  function fade() {
    const root = frame.contentDocument.documentElement;
    frame.classList.toggle("more", root.scrollHeight - root.scrollTop > frame.clientHeight + 4);
  }

  async function show(address) {
    const mine = ++latest;
    const answer = await fetch(address, { method: "POST", body: new FormData(form) });
    if (!answer.ok || mine !== latest) return;
    const text = await answer.text();
    if (mine !== latest) return;
    /* Parsed where it is shown: a mail may have styles of its own there, which this page does not allow. */
    const page = new frame.contentWindow.DOMParser().parseFromString(text, "text/html");
    const shown = frame.contentDocument;
    shown.documentElement.lang = page.documentElement.lang;
    shown.body.replaceWith(shown.adoptNode(page.body));
    fit();
  }

  function follow(section, wait) {
    if (!section || !section.dataset.preview) return;
    form = section;
    clearTimeout(timer);
    timer = setTimeout(() => show(form.dataset.preview), wait);
  }

  document.addEventListener("input", (event) => follow(event.target.form, 400));
  document.addEventListener("toggle", (event) => {
    if (event.target.open) follow(event.target.querySelector("form"), 0);
  }, true);
  /* A link in the preview keeps what is typed. */
  frame.addEventListener("load", () => {
    fit();
    frame.contentWindow.addEventListener("scroll", fade);
    frame.contentDocument.addEventListener("click", (event) => {
      const link = event.target.closest("a[href]");
      if (!link || !form) return;
      event.preventDefault();
      show(link.href);
    });
  });

  /* Whoever is ticked as a member gets the fields of members; without this script they come when it is saved. */
  document.addEventListener("change", (event) => {
    const box = event.target.closest("#member-rows [name=member]");
    if (!box) return;
    const row = box.closest("li");
    if (row.querySelector(".policy")) return;
    const part = document.getElementById("member-policy").content.cloneNode(true);
    for (const field of part.querySelectorAll("[name]")) field.name += box.value;
    row.querySelector("label").after(part);
  });

  /* As soon as something is entered in the last question, which is empty, another one follows it, so that several can be
     written before they are saved. */
  document.addEventListener("input", (event) => {
    const last = event.target.closest("[data-spare]");
    if (!last) return;
    const next = last.cloneNode(true);
    last.removeAttribute("data-spare");
    const number = Number(next.querySelector("[name^=key-]").name.slice(4)) + 1;
    if (number >= Number(next.dataset.spare)) return;
    for (const field of next.querySelectorAll("input, textarea")) {
      field.value = field.defaultValue;
      field.checked = field.defaultChecked;
    }
    for (const part of next.querySelectorAll("[name], [for]")) {
      for (const name of ["name", "id", "for"]) {
        if (part.hasAttribute(name)) part.setAttribute(name, part.getAttribute(name).replace(/\d+$/, number));
      }
    }
    const legend = next.querySelector("legend");
    legend.textContent = legend.textContent.replace(/\d+/, number + 1);
    last.after(next);
  });
})();
