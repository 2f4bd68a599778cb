// A button that opens the print dialogue.
export default function print(button) {
  button.addEventListener("click", () => window.print());
}
