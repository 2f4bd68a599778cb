// The colour choice in the footer: applied at once and sent without leaving the page.
export default function theme(form) {
  form.addEventListener("change", () => {
    const body = new FormData(form);
    document.documentElement.dataset.theme = body.get("theme");
    // The answer is a redirect back to a page; following it would eat notices meant for the next page.
    fetch(form.action, { method: "POST", body, redirect: "manual", keepalive: true }).catch(() => form.submit());
  });
}
