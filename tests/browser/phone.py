"""A phone with an authenticator app, whose owner has no patience."""

import time

import pyotp

STEP_SECONDS = 30  # each code is shown for so long (RFC 6238 §5.2)
TYPING_SECONDS = 4  # at most: a code must be good still when the form arrives


class Phone:
    """Shows codes of one secret, a new one each time: an index takes those of the last and the next half minute, too,
    so that three are good at once."""

    def __init__(self, secret: str) -> None:
        self._totp = pyotp.TOTP(secret)
        self._last_step = 0

    def code(self) -> str:
        """The oldest code that is still good and was not shown yet. As a half minute ends, the next one is waited for:
        such a code would go stale while it is typed."""
        if (left := STEP_SECONDS - time.time() % STEP_SECONDS) < TYPING_SECONDS:
            time.sleep(left)
        self._last_step = max(self._last_step + 1, int(time.time()) // STEP_SECONDS - 1)
        return self._totp.generate_otp(self._last_step)
