// Moves buttons of a menu among their siblings by dragging. The form that it sends is the one of the
// arrows: what a mouse can do, the keyboard can do with them.
let dragged = null;

const parentOf = (place) => place.split("-").slice(0, -1).join("-");
const numberOf = (place) => Number(place.split("-").at(-1));
const buttonOf = (event) => event.target.closest?.("[data-menu-place]");
const isSibling = (button) => button && dragged && button !== dragged
  && parentOf(button.dataset.menuPlace) === parentOf(dragged.dataset.menuPlace);

document.addEventListener("dragstart", (event) => {
  dragged = buttonOf(event) ?? null;
  if (dragged) event.dataTransfer.effectAllowed = "move";
});

document.addEventListener("dragover", (event) => {
  const button = buttonOf(event);
  document.querySelector(".phone-button.is-target")?.classList.remove("is-target");
  if (!isSibling(button)) return;
  event.preventDefault();
  button.classList.add("is-target");
});

document.addEventListener("drop", (event) => {
  const button = buttonOf(event);
  const form = document.querySelector("[data-menu-drag]");
  if (!isSibling(button) || !form) return;
  event.preventDefault();
  const steps = numberOf(button.dataset.menuPlace) - numberOf(dragged.dataset.menuPlace);
  form.elements.button.value = dragged.dataset.menuPlace;
  form.elements.to.value = steps < 0 ? "up" : "down";
  form.elements.steps.value = Math.abs(steps);
  form.requestSubmit();
});

document.addEventListener("dragend", () => {
  dragged = null;
  document.querySelector(".phone-button.is-target")?.classList.remove("is-target");
});
