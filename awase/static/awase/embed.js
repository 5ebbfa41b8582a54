/* Awase on any site, by one script tag:
     <script src="https://book.example.jp/embed.js" data-page="team/demo" async></script>
   data-mode: inline (the default, where the tag stands), popup (data-label: the words of the button there) or float
   (a button in the corner). data-height: the least height in pixels. What else is given as data-name, data-email or
   data-prefill ("q_size=6&utm_source=site") is filled in. The page speaks the language of the site (data-lang: another
   one) and shows times in the visitor's zone. No cookie is set, no style of the site is touched. */
(() => {
  const tag = document.currentScript;
  const { page, mode = "inline", height = "640", name, email, prefill = "" } = tag.dataset;
  const lang = (tag.dataset.lang || document.documentElement.lang).slice(0, 2).toLowerCase();
  const label = tag.dataset.label || (lang === "ja" ? "予約する" : "Book");
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  const home = new URL(tag.src).origin;
  const address = new URL(page, home + "/");
  new URLSearchParams(prefill).forEach((value, key) => address.searchParams.set(key, value));
  for (const [key, value] of Object.entries({ name, email, lang, zone, embed: "1" })) {
    if (value) address.searchParams.set(key, value);
  }

  const frame = document.createElement("iframe");
  frame.title = label;
  frame.loading = "lazy";
  Object.assign(frame.style, { border: "0", width: "100%", height: height + "px", display: "block", colorScheme: "normal" });

  const wanted = (event) => event.origin === home && event.source === frame.contentWindow && event.data && event.data.awase;
  addEventListener("message", (event) => {
    if (!wanted(event)) return;
    if (mode === "inline" && Number.isFinite(event.data.height)) frame.style.height = Math.max(Number(height), event.data.height) + "px";
    if (!event.data.booked) return;
    tag.dispatchEvent(new CustomEvent("awase:booked", { bubbles: true }));
    if (/^https?:/.test(event.data.next)) setTimeout(() => location.assign(event.data.next), 5000);
  });

  if (mode === "inline") {
    // A further page begins at its head, also where the site was read on to the end of the one before.
    let first = true;
    frame.addEventListener("load", () => {
      if (!first && frame.getBoundingClientRect().top < 0) frame.scrollIntoView();
      first = false;
    });
    frame.src = address;
    tag.after(frame);
    return;
  }
  const dialog = document.createElement("dialog");
  dialog.setAttribute("aria-label", label);
  Object.assign(dialog.style, { width: "min(62rem, 96vw)", height: "min(48rem, 94vh)", maxWidth: "none", maxHeight: "none", padding: "0", border: "0", borderRadius: "10px", overflow: "hidden" });
  frame.style.height = "100%";
  const close = document.createElement("button");
  close.type = "button";
  close.textContent = "\u00d7";
  close.setAttribute("aria-label", lang === "ja" ? "閉じる" : "Close");
  Object.assign(close.style, { position: "absolute", top: "4px", right: "4px", width: "44px", height: "44px", border: "0", background: "transparent", font: "24px/1 system-ui", color: "#5a6172", cursor: "pointer" });
  close.addEventListener("click", () => dialog.close());
  dialog.append(frame, close);
  const button = document.createElement("button");
  button.type = "button";
  button.textContent = label;
  Object.assign(button.style, { padding: "12px 20px", border: "0", borderRadius: "8px", background: "#27508f", color: "#fff", font: "600 15px/1.4 system-ui", cursor: "pointer" });
  if (mode === "float") Object.assign(button.style, { position: "fixed", right: "20px", bottom: "20px", zIndex: "2147483000", boxShadow: "0 4px 16px rgb(0 0 0 / 25%)" });
  button.addEventListener("click", () => {
    if (!frame.src) frame.src = address;
    dialog.showModal();
  });
  // Whoever uses the page inside has the keyboard there, so it tells.
  addEventListener("message", (event) => {
    if (wanted(event) && event.data.escape) dialog.close();
  });
  tag.after(button, dialog);
})();
