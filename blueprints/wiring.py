"""What the views are given to work with: settings and adapters, built in app.py."""

from dataclasses import dataclass
from datetime import datetime, timedelta
from urllib.parse import urlsplit

from flask import current_app

from adapters.breaches import Breaches
from adapters.clock import Clock
from adapters.identity_tokens import IdentityTokens
from adapters.leak_keys import LeakKeys
from adapters.mail import Mailer
from adapters.secretbox import SecretBox
from adapters.static_tree import StaticTree
from adapters.storage import BlobStore
from domain.identity.passkeys import RelyingParty
from domain.identity.passwords import PasswordHasher
from domain.index.downloads import Tally
from domain.index.name_list import NameList
from domain.index.upload_rules import UploadRules
from domain.notices import Notices
from domain.policy.rules import Policy

EXTENSION = "countersign"


@dataclass(frozen=True)
class SiteFacts:
    """What pages and mails say of the index itself."""

    name: str
    host: str
    public_url: str
    version: str

    @property
    def audience(self) -> str:
        """For whom CI jobs have their identity tokens made: the host name, without a port."""
        return urlsplit(self.public_url).hostname or ""


@dataclass(frozen=True)
class Services:
    """Everything that comes from outside a request."""

    site: SiteFacts
    clock: Clock
    box: SecretBox
    hasher: PasswordHasher
    breaches: Breaches
    leak_keys: LeakKeys | None  # None: no report of a leak is taken
    identity_tokens: IdentityTokens
    notices: Notices
    mailer: Mailer
    store: BlobStore
    signed_for: timedelta | None  # how long an address of the cloud is good; None: files are sent from here
    accel_prefix: str  # where a proxy finds the files that it is to send; empty: they are sent from here
    static_tree: StaticTree | None
    name_list: NameList
    downloads: Tally  # of this process, since they were last written down
    policy: Policy
    party: RelyingParty
    registration: str
    confirms_new_browsers: bool
    upload_rules: UploadRules
    longest_token: timedelta | None  # None: as long as its owner likes
    is_https: bool


def services() -> Services:
    """The services of the running application."""
    found: Services = current_app.extensions[EXTENSION]
    return found


def now() -> datetime:
    """The present moment, by the application's clock."""
    return services().clock.now()
