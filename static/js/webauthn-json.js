// WebAuthn's options and answers as JSON. Browsers of today do it themselves; this stands in for older ones.
const BINARY = ["clientDataJSON", "attestationObject", "authenticatorData", "signature", "userHandle"];

function bytes(text) {
  const plain = atob(text.replaceAll("-", "+").replaceAll("_", "/"));
  return Uint8Array.from(plain, (char) => char.charCodeAt(0));
}

function text(buffer) {
  const plain = String.fromCharCode(...new Uint8Array(buffer));
  return btoa(plain).replaceAll("+", "-").replaceAll("/", "_").replaceAll("=", "");
}

const withBytes = (credential) => ({ ...credential, id: bytes(credential.id) });

export function creationOptions(options) {
  if (PublicKeyCredential.parseCreationOptionsFromJSON) {
    return PublicKeyCredential.parseCreationOptionsFromJSON(options);
  }
  return {
    ...options,
    challenge: bytes(options.challenge),
    user: { ...options.user, id: bytes(options.user.id) },
    excludeCredentials: (options.excludeCredentials ?? []).map(withBytes),
  };
}

export function requestOptions(options) {
  if (PublicKeyCredential.parseRequestOptionsFromJSON) {
    return PublicKeyCredential.parseRequestOptionsFromJSON(options);
  }
  return {
    ...options,
    challenge: bytes(options.challenge),
    allowCredentials: (options.allowCredentials ?? []).map(withBytes),
  };
}

export function toJSON(credential) {
  if (credential.toJSON) {
    return credential.toJSON();
  }
  const { id, type, response } = credential;
  const written = BINARY.filter((name) => response[name]).map((name) => [name, text(response[name])]);
  const transports = response.getTransports?.() ?? [];
  return {
    id,
    rawId: text(credential.rawId),
    type,
    clientExtensionResults: credential.getClientExtensionResults(),
    response: { ...Object.fromEntries(written), transports },
  };
}
