// Tells the browser's password managers which passkeys of this account still sign in, so that they drop those that do not.
export default function signal(element) {
  const { rpId, userId, ids } = element.dataset;
  const told = window.PublicKeyCredential?.signalAllAcceptedCredentials?.({
    rpId,
    userId,
    allAcceptedCredentialIds: ids.split(" ").filter(Boolean),
  });
  told?.catch(() => {}); // a manager that does not listen is no fault of the page
}
