/* Offers the browser's own time zone where the page shows another one. Without script the list of zones does. */
(() => {
  const offer = () => {
    const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
    for (const link of document.querySelectorAll("[data-zone-shown]")) {
      if (!zone || link.dataset.zoneShown === zone) continue;
      const url = new URL(location.href);
      url.searchParams.set("zone", zone);
      link.href = url.pathname + url.search;
      link.parentElement.hidden = false;
    }
  };
  document.addEventListener("htmx:load", offer);
  offer();
})();
