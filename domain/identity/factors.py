"""Second factors of an account: authenticator apps, from the first scan to removal."""


def secret_context(*, user_id: int, public_id: str) -> str:
    """What an app's secret is sealed for: this row of this account, so that swapped rows do not open."""
    return f"totp:{user_id}:{public_id}"
