/* Shows the times in the guest's own zone. The first visit goes on to it before anything is drawn; whoever chose a zone
   is offered their own by a link. Without script the list of zones does. */
(() => {
  const { shown, unasked } = document.currentScript.dataset;
  const zone = Intl.DateTimeFormat().resolvedOptions().timeZone;
  if (!zone) return;
  const own = () => {
    const url = new URL(location.href);
    url.searchParams.set("zone", zone);
    return url.href;
  };
  if (unasked !== undefined && zone !== shown) {
    location.replace(own());
    return;
  }
  const offer = () => {
    for (const link of document.querySelectorAll("[data-zone-shown]")) {
      if (link.dataset.zoneShown === zone) continue;
      link.href = own();
      link.parentElement.hidden = false;
    }
  };
  document.addEventListener("htmx:load", offer);
  document.addEventListener("DOMContentLoaded", offer);
})();
