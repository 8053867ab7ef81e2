// "/" goes to the search field, "?" shows the list of keys, a letter opens a page. None while typing.
const isTyping = (element) =>
  element.closest("input, textarea, select, [contenteditable], dialog") !== null;

document.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.altKey || event.metaKey || event.isComposing) return;
  if (event.target instanceof Element && isTyping(event.target)) return;
  if (event.key === "/") {
    const field = document.querySelector("[data-search]");
    if (field === null) return;
    event.preventDefault();
    field.focus();
    field.select();
  } else if (event.key === "?") {
    document.getElementById("keys")?.showModal();
  } else {
    const wanted = [...document.querySelectorAll("[data-key]")];
    wanted.find((link) => link.dataset.key === event.key)?.click();
  }
});
