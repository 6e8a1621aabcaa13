"use strict";

// The browser answers when it is done: until then it gets nothing more, however slow it is.
window.inventoryRows = (id, diff) => {
  const api = getElement(id)?.api;
  if (!api) return false;
  if (diff.whole) {
    api.setGridOption("rowData", diff.rows);
    api.setGridOption("loading", false);
    return true;
  }
  const known = diff.rows.filter((row) => api.getRowNode(row.product_id));
  const added = diff.rows.filter((row) => !api.getRowNode(row.product_id));
  const gone = diff.removed.filter((id) => api.getRowNode(id)).map((id) => ({ product_id: id }));
  api.applyTransaction({ add: added, update: known, remove: gone });
  return true;
};

// How many products there are, and how many of them a search or a filter leaves.
window.inventoryCount = (api) => {
  if (api.getGridOption("loading")) return;
  let all = 0;
  api.forEachNode(() => all++);
  const shown = api.getDisplayedRowCount();
  const products = `${all.toLocaleString("en")} product${all === 1 ? "" : "s"}`;
  const count = document.querySelector(".inventory .card-count");
  count.textContent = shown === all ? products : `${shown.toLocaleString("en")} of ${products}`;
  document.querySelector(".inventory").classList.toggle("is-filtered", all > 0);
  if (shown) api.hideOverlay();
  else api.showNoRowsOverlay();
};

// The clock of the page is the server's, and its ticks are how the browser knows that it is there.
const SILENCE_MS = 4000;
let ticked = "";
let tickedAt = performance.now();
setInterval(() => {
  const clock = document.querySelector(".bar-time");
  if (!clock) return;
  if (clock.textContent !== ticked) {
    ticked = clock.textContent;
    tickedAt = performance.now();
  }
  const closed = document.getElementById("popup")?.ariaHidden === "false";
  const lost = closed || performance.now() - tickedAt > SILENCE_MS;
  const alert = document.querySelector(".server-lost");
  const text = lost ? `Disconnected since ${ticked}` : "";
  if (alert.textContent !== text) alert.textContent = text;
  const off = lost || document.querySelector(".stack-lost").textContent !== "";
  document.body.classList.toggle("is-server-lost", lost);
  document.body.classList.toggle("is-disconnected", off);
  for (const part of document.querySelectorAll(".page, .q-dialog")) part.inert = off;
  keepPage();
}, 500);

// The library loads the page again when a connection attempt times out: the browser would show an
// error in place of what was there. It tries again by itself; only a new server needs a new page.
function keepPage() {
  if (!window.socket || window.socket.keepsPage) return;
  window.socket.keepsPage = true;
  window.socket.off("connect_error");
  window.socket.on("connect_error", (error) => {
    if (error.message === "Implicit handshake failed") window.location.reload();
  });
}
