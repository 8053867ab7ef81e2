// What goes with the requests of htmx beyond htmx: no file with what only judges a form, and a word
// when nobody answers.
document.addEventListener("htmx:config:request", (event) => {
  const { sourceElement, request } = event.detail.ctx;
  if (!sourceElement.matches("[data-without-files]") || !(request.body instanceof FormData)) return;
  for (const [name, value] of [...request.body]) {
    if (value instanceof File) request.body.delete(name);
  }
});

const notice = () => document.getElementById("notice");

// A notice belongs to what was done last.
document.addEventListener("htmx:before:request", (event) => {
  const { sourceEvent } = event.detail.ctx;
  if (["click", "submit"].includes(sourceEvent?.type)) notice()?.replaceChildren();
});

document.addEventListener("htmx:error", (event) => {
  if (!(event.detail.error instanceof TypeError) || event.detail.ctx?.response) return;
  const words = document.getElementById("unreachable");
  if (words !== null) notice()?.replaceChildren(words.content.cloneNode(true));
});

document.addEventListener("htmx:after:request", () => {
  notice()?.querySelector("[data-unreachable]")?.remove();
});
