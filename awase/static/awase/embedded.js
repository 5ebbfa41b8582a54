/* Inside another site's page: tells it how high this page is, when a booking was made, and when it is to be closed. */
(() => {
  const tell = (message) => parent.postMessage({ awase: 1, ...message }, "*");
  const size = () => tell({ height: Math.ceil(document.body.getBoundingClientRect().height) });
  new ResizeObserver(size).observe(document.body);
  addEventListener("load", size);
  addEventListener("keydown", (event) => {
    if (event.key === "Escape" && !event.defaultPrevented) tell({ escape: true });
  });
  const booked = document.querySelector("[data-booked]");
  if (booked) tell({ booked: true, next: booked.dataset.next });
})();
