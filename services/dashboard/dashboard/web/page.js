"use strict";

// The server waits for the answer: a slow browser gets nothing more until it is done.
window.updateInventory = (id, { whole, rows, removed }) => {
  const api = getElement(id)?.api;
  if (!api) return false;
  if (whole) {
    api.setGridOption("rowData", rows);
    api.setGridOption("loading", false);
    return true;
  }
  const isKnown = (id) => api.getRowNode(id) !== undefined;
  api.applyTransaction({
    add: rows.filter((row) => !isKnown(row.product_id)),
    update: rows.filter((row) => isKnown(row.product_id)),
    remove: removed.filter(isKnown).map((id) => ({ product_id: id })),
  });
  return true;
};

// Say how many products there are, and how many of them a search or a filter leaves.
window.countInventory = (api) => {
  if (api.getGridOption("loading")) return;
  let all = 0;
  api.forEachNode(() => all++);
  const shown = api.getDisplayedRowCount();
  const products = `${all.toLocaleString("en")} product${all === 1 ? "" : "s"}`;
  const count = document.querySelector(".inventory .card-count");
  count.textContent = shown === all ? products : `${shown.toLocaleString("en")} of ${products}`;
  const empty = all ? "No product matches the search" : "No products yet";
  api.setGridOption("overlayNoRowsTemplate", `<span>${empty}</span>`);
  if (shown) api.hideOverlay();
  else api.showNoRowsOverlay();
};

// The clock is the server's. Its ticks are how the browser knows that the server is there.
const SILENCE_MS = 4000;
let ticked = "";
let tickedAt = performance.now();
setInterval(() => {
  const clock = document.querySelector(".bar-time")?.textContent;
  if (!clock) return;
  if (clock !== ticked) {
    ticked = clock;
    tickedAt = performance.now();
  }
  const lost = performance.now() - tickedAt > SILENCE_MS;
  const alert = document.querySelector(".server-lost");
  const text = lost ? `Disconnected since ${ticked}` : "";
  if (alert.textContent !== text) alert.textContent = text;
  const off = lost || document.querySelector(".stack-lost").textContent !== "";
  document.body.classList.toggle("is-disconnected", off);
  for (const part of document.querySelectorAll(".page, .q-dialog")) part.inert = off;
  keepPage();
}, 500);

// NiceGUI loads the page again when a connection attempt times out: the browser would show an
// error in place of the page. The socket tries again by itself; only a new server needs a new page.
function keepPage() {
  window.socket?.off("connect_error").on("connect_error", (error) => {
    if (error.message === "Implicit handshake failed") window.location.reload();
  });
}
