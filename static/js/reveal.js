// A password field gets a button that shows what was typed; sending the form hides it again.
export default function reveal(field) {
  const input = field.querySelector("input");
  const button = document.createElement("button");
  const verb = document.createElement("span");
  const what = document.createElement("span");
  button.type = "button";
  button.className = "link";
  button.setAttribute("aria-controls", input.id);
  what.className = "visually-hidden";
  what.textContent = ` ${input.labels[0].textContent}`;
  button.append(verb, what);
  input.after(button);

  function show(isShown) {
    input.type = isShown ? "text" : "password";
    verb.textContent = isShown ? "Hide" : "Show";
  }

  button.addEventListener("click", () => show(input.type === "password"));
  // As text it would be kept among what the browser offers for other fields.
  input.form.addEventListener("submit", () => show(false));
  show(false);
}
