// Opens and closes dialogs, which without this file are popovers; a button stays disabled until the text that was asked for is typed.
const confirmed = (form) =>
  [...form.querySelectorAll("[data-must-equal]")].every(
    (field) => field.value.trim() === field.dataset.mustEqual,
  );

const check = (form) => {
  const button = form.querySelector(".dialog-actions button:not([data-closes])");
  if (button !== null) button.disabled = !confirmed(form);
};

document.addEventListener("click", (event) => {
  if (!(event.target instanceof Element)) return;
  const opener = event.target.closest("[data-opens]");
  if (opener !== null) {
    const dialog = document.getElementById(opener.dataset.opens);
    const form = dialog.querySelector("form");
    if (form !== null && form.querySelector("[data-must-equal]") !== null) check(form);
    event.preventDefault();
    dialog.showModal();
  }
  if (event.target.closest("[data-closes]") !== null) event.target.closest("dialog").close();
});

document.addEventListener("input", (event) => {
  if (event.target.matches("[data-must-equal]")) check(event.target.form);
});
