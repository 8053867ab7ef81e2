// A list that grows while somebody looks at it. New rows wait behind a button with their number, so
// that nothing moves under the reader's eyes. While the list is paused the button waits, too. A row
// with `data-day` is the heading of a day; one that has the `data-row` of another is the same again.
const MAX_ROWS = 200;
const waiting = new WeakMap();

const rowsOf = (list) => waiting.get(list) ?? [];

const tableOf = (list) => document.querySelector(`#${list.dataset.liveRows} tbody`);

const isPaused = (list) => !list.querySelector("[data-live-switch]").checked;

const show = (list) => {
  const button = list.querySelector("[data-live-show]");
  const count = rowsOf(list).filter((row) => !row.dataset.day).length;
  button.hidden = count === 0 || isPaused(list);
  button.textContent = button.dataset.text.replace("{count}", count);
};

const dropRepeatedHeadings = (body) => {
  let day = null;
  for (const heading of [...body.querySelectorAll("tr[data-day]")]) {
    if (heading.dataset.day === day) heading.remove();
    day = heading.dataset.day;
  }
};

const withoutKnown = (list, rows) => {
  const known = new Set();
  for (const row of [...tableOf(list).rows, ...rowsOf(list)]) known.add(row.dataset.row);
  const found = rows.filter((row) => !row.dataset.row || !known.has(row.dataset.row));
  return found.some((row) => !row.dataset.day) ? found : [];
};

document.addEventListener("rows", (event) => {
  const list = event.target;
  const page = document.createElement("template");
  page.innerHTML = event.detail.data;
  const rows = withoutKnown(list, [...page.content.querySelectorAll("tr")]);
  waiting.set(list, [...rows, ...rowsOf(list)].slice(0, MAX_ROWS));
  show(list);
});

document.addEventListener("click", (event) => {
  const button = event.target.closest?.("[data-live-show]");
  if (!button) return;
  const list = button.closest("[data-live-rows]");
  const body = tableOf(list);
  const rows = rowsOf(list);
  body.prepend(...rows);
  for (const empty of list.parentElement.querySelectorAll(":scope > .empty")) empty.remove();
  dropRepeatedHeadings(body);
  for (const row of rows) window.htmx.process(row);
  for (const row of [...body.rows].slice(MAX_ROWS)) row.remove();
  waiting.delete(list);
  show(list);
});

document.addEventListener("change", (event) => {
  const list = event.target.closest?.("[data-live-switch]")?.closest("[data-live-rows]");
  if (list) show(list);
});
