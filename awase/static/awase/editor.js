/* The page editor's preview follows what is typed: shortly after the last change the section is sent as it stands, and
   what comes back takes the place of the preview's body, so that neither the focus nor the way back moves. */
(() => {
  const frame = document.getElementById("preview");
  let form = null;
  let timer = 0;
  let latest = 0;

  async function show(address) {
    const mine = ++latest;
    const answer = await fetch(address, { method: "POST", body: new FormData(form) });
    if (!answer.ok || mine !== latest) return;
    const page = new DOMParser().parseFromString(await answer.text(), "text/html");
    const shown = frame.contentDocument;
    if (mine !== latest) return;
    shown.documentElement.lang = page.documentElement.lang;
    shown.body.replaceWith(shown.adoptNode(page.body));
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
    frame.contentDocument.addEventListener("click", (event) => {
      const link = event.target.closest("a[href]");
      if (!link || !form) return;
      event.preventDefault();
      show(link.href);
    });
  });
})();
