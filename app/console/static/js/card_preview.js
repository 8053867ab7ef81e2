// Shows in the preview of a card what is typed into its fields, before anything is sent.
document.addEventListener("input", (event) => {
  const name = event.target.name ?? "";
  if (!name.startsWith("replies.")) return;
  const value = event.target.value.trim();
  for (const part of document.querySelectorAll(`[data-shows="${CSS.escape(name)}"]`)) {
    part.textContent = value || part.dataset.empty;
  }
  for (const picture of document.querySelectorAll(`[data-shows-picture="${CSS.escape(name)}"]`)) {
    showPicture(picture, value);
  }
});

// Only what is in the media folder is asked for: a name that is half typed would not be found.
function showPicture(picture, name) {
  const names = [...document.querySelectorAll("#pictures option")].map((option) => option.value);
  const isKnown = names.includes(name);
  if (isKnown) picture.src = picture.dataset.folder + encodeURIComponent(name);
  picture.hidden = !isKnown;
  picture.nextElementSibling.hidden = isKnown;
}
