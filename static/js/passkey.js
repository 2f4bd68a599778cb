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
  if (answer?.status === 403) { // what stopped it is said on a page, and mended there: this one is opened anew, as filled in
    const label = filled.get("label");
    location.assign(label ? `?${new URLSearchParams({ label })}` : location.pathname + location.search);
    return new Promise(() => {});
  }
  if (!answer?.ok || !said) {
    throw Object.assign(new Error(said?.detail ?? "The index did not answer as it should. Try again."), { said });
  }
  return said;
}

async function ask(form, options, choices) {
  try {
    return "create" in form.dataset
      ? await navigator.credentials.create({ publicKey: creationOptions(options), ...choices })
      : await navigator.credentials.get({ publicKey: requestOptions(options), ...choices });
  } catch (error) {
    throw new Error(inWords(error, options));
  }
}

async function perform(form, choices, onAnswer) {
  const options = await send(form, form.dataset.options);
  const credential = await ask(form, options, choices);
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

export default async function passkey(form) {
  const [button, problem, words, status] = ["start", "problem", "words", "status"].map((part) =>
    form.querySelector(`[data-passkey=${part}]`));
  let offered = new AbortController();

  function tell(news, error) {
    status.textContent = news;
    words.textContent = error?.message ?? "";
    problem.hidden = !error;
    if (error) {
      (form.elements[error.said?.field] ?? problem).focus();
    }
  }

  // Nobody has to take what the username field offers: what becomes of a passkey is told only once it was taken.
  async function offer() {
    let isTaken = false;
    offered = new AbortController();
    const timer = setTimeout(() => (offered.abort(), offer()), RENEWED_MS);
    const choices = { mediation: "conditional", signal: offered.signal };
    const take = () => { isTaken = true; tell("Checking …"); };
    await perform(form, choices, take).catch((error) => isTaken && tell("", error));
    clearTimeout(timer);
  }

  async function start(event) {
    event.preventDefault();
    offered.abort();
    button.disabled = true;
    tell("Your browser asks for it now …");
    await perform(form, {}, () => tell("Checking …")).catch((error) => tell("", error));
    button.disabled = false;
    if (!problem.hidden && await mayOffer) {
      offer();
    }
  }

  if (!window.PublicKeyCredential) {
    tell("This browser knows no passkeys, or the page was not opened by https. Choose another way.");
    return;
  }
  button.disabled = false;
  (button.type === "submit" ? form : button).addEventListener(button.type === "submit" ? "submit" : "click", start);
  const mayOffer = "autofill" in form.dataset && PublicKeyCredential.isConditionalMediationAvailable?.();
  if (await mayOffer) {
    offer();
  }
}
