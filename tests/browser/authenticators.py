"""Authenticators of Chromium that are made of nothing (WebAuthn Level 3 §11): what a page finds built in
or plugged in."""

from typing import Any

from playwright.sync_api import CDPSession, Page

Credential = dict[str, Any]  # Any: a passkey as Chromium hands it out, its private half included


class Authenticators:
    """Those that one page can reach; there are none before one is added."""

    def __init__(self, page: Page) -> None:
        self._devtools = page.context.new_cdp_session(page)
        self._devtools.send("WebAuthn.enable", {"enableUI": False})

    def add_passkey_keeper(self, *, is_synced: bool = False) -> "Authenticator":
        """A laptop that asks for a finger; is_synced: its passkeys go to other devices, too."""
        backup = {"defaultBackupEligibility": is_synced, "defaultBackupState": is_synced}
        return self._add("ctap2", "internal", asks_who=True, **backup)

    def add_security_key(self, *, protocol: str = "ctap2") -> "Authenticator":
        """A key for a USB port that wants to be touched and does not ask by whom; protocol "u2f": an old one."""
        return self._add(protocol, "usb", asks_who=False)

    def _add(self, protocol: str, transport: str, *, asks_who: bool, **more: object) -> "Authenticator":
        options = {
            "protocol": protocol,
            "transport": transport,
            "hasResidentKey": asks_who,
            "hasUserVerification": asks_who,
            "isUserVerified": asks_who,
            "automaticPresenceSimulation": True,
            **more,
        }
        added = self._devtools.send("WebAuthn.addVirtualAuthenticator", {"options": options})
        return Authenticator(self._devtools, added["authenticatorId"])


class Authenticator:
    """One of them, whose person is there and confirms whatever is asked, until told otherwise."""

    def __init__(self, devtools: CDPSession, authenticator_id: str) -> None:
        self._devtools = devtools
        self._id = authenticator_id

    def credentials(self) -> list[Credential]:
        """All that it holds, to be looked at or copied."""
        found: list[Credential] = self._send("getCredentials")["credentials"]
        return found

    def take(self, credential: Credential) -> None:
        """Hold a credential that another one gave away, or that this one held earlier: with the counter of then."""
        self._send("addCredential", credential=credential)

    def forget(self, credential: Credential) -> None:
        """Hold a credential no more."""
        self._send("removeCredential", credentialId=credential["credentialId"])

    def be_touched(self, is_touched: bool) -> None:
        """Whether somebody touches it when it asks for that; until then, what is asked waits."""
        self._send("setAutomaticPresenceSimulation", enabled=is_touched)

    def recognise(self, is_owner: bool) -> None:
        """Whether the finger is its owner's from now on; it refuses all others."""
        self._send("setUserVerified", isUserVerified=is_owner)

    def stop_checking(self) -> None:
        """It answers whoever touches it from now on, and says so: a passkey that proves no more than a key does."""
        self._send("setResponseOverrideBits", isBadUV=True)

    def unplug(self) -> None:
        """Take it away, with all that it holds."""
        self._send("removeVirtualAuthenticator")

    def _send(self, command: str, **parameters: object) -> dict[str, Any]:  # Any: each command has its own answer
        answer: dict[str, Any] = self._devtools.send(f"WebAuthn.{command}", {"authenticatorId": self._id, **parameters})
        return answer


def in_json(base64: str) -> str:
    """What Chromium hands out in base64, as pages write it: base64url without padding."""
    return base64.translate(str.maketrans("+/", "-_", "="))
