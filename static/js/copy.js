// A button that copies the text of the element whose id is in aria-controls, and says so.
const CONFIRMED_MS = 2500;

function textOf(source) {
  const parts = source.querySelectorAll("li");
  return parts.length ? Array.from(parts, (part) => part.textContent.trim()).join("\n") : source.textContent.trim();
}

export default function copy(button) {
  const source = document.getElementById(button.getAttribute("aria-controls"));
  const label = button.querySelector(".copy__label");
  const spoken = document.createElement("span");
  spoken.className = "visually-hidden";
  spoken.setAttribute("aria-live", "polite");
  button.after(spoken);

  const idle = label.textContent;
  let timer;
  function say(text) {
    clearTimeout(timer);
    label.textContent = text;
    spoken.textContent = text;
    timer = setTimeout(() => {
      label.textContent = idle;
      spoken.textContent = "";
    }, CONFIRMED_MS);
  }

  button.addEventListener("click", () => {
    // No clipboard on plain http: the text is selected instead, one key press from copied.
    if (!navigator.clipboard) {
      getSelection().selectAllChildren(source);
      say("Selected");
      return;
    }
    navigator.clipboard.writeText(textOf(source)).then(() => say("Copied"), () => say("Not copied"));
  });
}
