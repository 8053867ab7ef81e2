// Counts the bytes of a text in UTF-8, as WeChat does, beside the field.
const encoder = new TextEncoder();

document.addEventListener("input", (event) => {
  const most = Number(event.target.dataset?.maxBytes ?? 0);
  const counter = document.getElementById(`${event.target.id}-count`);
  if (most === 0 || counter === null) return;
  const used = encoder.encode(event.target.value).length;
  counter.textContent = counter.textContent.replace(/\d+/, used);
  counter.classList.toggle("too-many", used > most);
});
