// A list that grows while somebody looks at it. New rows wait behind a button with their number, so
// that nothing moves under the reader's eyes. A row with `data-day` is the heading of a day.
const MAX_ROWS = 200;
const waiting = new WeakMap();

const rowsOf = (list) => waiting.get(list) ?? [];

const show = (list) => {
  const button = list.querySelector("[data-live-show]");
  const count = rowsOf(list).filter((row) => !row.dataset.day).length;
  button.hidden = count === 0;
  button.textContent = button.dataset.text.replace("{count}", count);
};

const dropRepeatedHeadings = (body) => {
  let day = null;
  for (const heading of [...body.querySelectorAll("tr[data-day]")]) {
    if (heading.dataset.day === day) heading.remove();
    day = heading.dataset.day;
  }
};

document.addEventListener("rows", (event) => {
  const list = event.target;
  const page = document.createElement("template");
  page.innerHTML = event.detail.data;
  const rows = [...page.content.querySelectorAll("tr")];
  waiting.set(list, [...rows, ...rowsOf(list)].slice(0, MAX_ROWS));
  show(list);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-live-show]");
  if (!button) return;
  const list = button.closest("[data-live-rows]");
  const body = document.querySelector(`#${list.dataset.liveRows} tbody`);
  const rows = rowsOf(list);
  body.prepend(...rows);
  dropRepeatedHeadings(body);
  for (const row of rows) window.htmx.process(row);
  for (const row of [...body.rows].slice(MAX_ROWS)) row.remove();
  waiting.delete(list);
  show(list);
});

// The switch ends the stream, and starts it again.
document.addEventListener("htmx:sse:before:message", (event) => {
  const paused = event.target.querySelector("[data-live-switch]")?.checked === false;
  if (paused) event.detail.cancelled = true;
});
