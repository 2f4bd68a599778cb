// A form whose button asks for a passkey or security key. data-options and data-validate name the addresses that it asks;
// with data-create it makes a new key, with data-autofill it offers passkeys in the field for the username, too.
import { inWords } from "./passkey-troubles.js";
import { creationOptions, requestOptions, toJSON } from "./webauthn-json.js";

const SENT = ["csrf_token", "step", "next", "label", "password", "remember_browser"];
const RENEWED_MS = 4.5 * 60 * 1000; // before the five minutes of a challenge are over

async function send(form, address, credential) {
  const filled = new FormData(form);
  const body = new URLSearchParams(SENT.filter((name) => filled.has(name)).map((name) => [name, filled.get(name)]));
  if (credential) {
    body.set("credential", JSON.stringify(toJSON(credential)));
  }
  const answer = await fetch(address, { method: "POST", body, headers: { Accept: "application/json" } }).catch(() => null);
  const said = await answer?.json().catch(() => null);
  if (answer?.status === 403) {
    location.reload(); // what stopped it is said on a page, and that is where it is mended
    return new Promise(() => {});
  }
  if (!answer?.ok || !said) {
    throw Object.assign(new Error(said?.detail ?? "The index did not answer as it should. Try again."), { said });
  }
  return said;
}

async function perform(form, choices, onAnswer = () => {}) {
  const options = await send(form, form.dataset.options);
  const credential = await ("create" in form.dataset
    ? navigator.credentials.create({ publicKey: creationOptions(options), ...choices })
    : navigator.credentials.get({ publicKey: requestOptions(options), ...choices })
  ).catch((error) => {
    throw new Error(inWords(error, options));
  });
  onAnswer();
  try {
    location.assign((await send(form, form.dataset.validate, credential)).redirect_to);
  } catch (error) {
    if (error.said?.code === "unknown_passkey") { // its keeper may stop to offer it
      PublicKeyCredential.signalUnknownCredential?.({ rpId: options.rpId, credentialId: credential.id }).catch(() => {});
    }
    throw error;
  }
}

export default function passkey(form) {
  const [button, problem, status] = ["start", "problem", "status"].map((part) => form.querySelector(`[data-passkey=${part}]`));
  let offered = new AbortController();

  function say(trouble, news = "") {
    status.textContent = news;
    problem.textContent = trouble;
    problem.hidden = !trouble;
    if (trouble) {
      problem.focus();
    }
  }

  // Nobody has to take what the username field offers: a refusal is told, all else is passed over.
  async function offer() {
    offered = new AbortController();
    const timer = setTimeout(() => (offered.abort(), offer()), RENEWED_MS);
    await perform(form, { mediation: "conditional", signal: offered.signal }).catch((error) => error.said && say(error.message));
    clearTimeout(timer);
  }

  async function start(event) {
    event.preventDefault();
    offered.abort();
    button.disabled = true;
    say("", "Your browser asks for it now …");
    await perform(form, {}, () => say("", "Checking …")).catch((error) => say(error.message));
    button.disabled = false;
  }

  if (!window.PublicKeyCredential) {
    button.disabled = true;
    say("This browser knows no passkeys, or the page was not opened by https. Choose another way.");
    return;
  }
  (button.type === "submit" ? form : button).addEventListener(button.type === "submit" ? "submit" : "click", start);
  if ("autofill" in form.dataset) {
    PublicKeyCredential.isConditionalMediationAvailable?.().then((isAvailable) => isAvailable && offer());
  }
}
