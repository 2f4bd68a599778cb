// Moves the focus to the stop banner or the summary of errors, so that readers start there.
export default function focus(element) {
  if (element === document.querySelector('[data-module="focus"]')) {
    element.focus();
  }
}
