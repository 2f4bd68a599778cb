// What people are told when a browser could not get an answer from a passkey or security key, by the name of its error.
const CANCELLED = "It was cancelled, or took too long. Nothing was changed. Try again, or choose another way.";
const SENTENCES = {
  NotAllowedError: CANCELLED,
  AbortError: CANCELLED,
  TimeoutError: CANCELLED,
  InvalidStateError: "This device or key is registered for your account already. Use another one.",
  NotSupportedError: "This device or key cannot do what is asked for here. Use another one.",
  ConstraintError: "This device or key cannot check who you are. Set a PIN or fingerprint on it, or use another one.",
  NotReadableError: "This device or key could not be read. Unplug it, plug it in again and try once more.",
};

export function inWords(error, options) {
  if (error.name === "SecurityError") {
    const party = options.rp?.id ?? options.rpId;
    if (party === location.hostname) {
      return "Browsers keep passkeys for names and https only. Tell whoever runs this index, or choose another way.";
    }
    return `Passkeys do not work at ${location.host}, for this index is set up for ${party}. Open it there.`;
  }
  return SENTENCES[error.name] ?? `Your browser could not do it (${error.name}). Try again, or choose another way.`;
}
