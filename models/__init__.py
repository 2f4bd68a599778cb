"""Tables: columns, constraints, relations and tiny properties. No rules, no commit."""

from models.attempt import Attempt
from models.base import Base, begin_writing, db, insert_into
from models.browser import KnownBrowser
from models.ceremony import Ceremony
from models.download import DailyDownload
from models.event import Event
from models.factor import Passkey, RecoveryCode, TotpApp
from models.mail import Mail
from models.organization import Organization, OrganizationMember, OrganizationRequest, Team, TeamMember
from models.project import (
    Catalogue,
    Invitation,
    KeptName,
    KeptPage,
    Project,
    ProjectRole,
    TeamProject,
    Transfer,
    kept_name_owner,
)
from models.publisher import (
    Issuer,
    MintedToken,
    PendingPublisher,
    SpentIdentity,
    TrustedPublisher,
    minted_token_publisher,
)
from models.release import DeletedFile, DeletedFilename, DeletedRelease, File, Release
from models.search import PythonVersion, SearchText
from models.session import BrowserSession
from models.token import ApiToken, token_project
from models.user import Email, RetiredName, User

__all__ = [
    "ApiToken",
    "Attempt",
    "Base",
    "BrowserSession",
    "Catalogue",
    "Ceremony",
    "DailyDownload",
    "DeletedFile",
    "DeletedFilename",
    "DeletedRelease",
    "Email",
    "Event",
    "File",
    "Invitation",
    "Issuer",
    "KeptName",
    "KeptPage",
    "KnownBrowser",
    "Mail",
    "MintedToken",
    "Organization",
    "OrganizationMember",
    "OrganizationRequest",
    "Passkey",
    "PendingPublisher",
    "Project",
    "ProjectRole",
    "PythonVersion",
    "RecoveryCode",
    "Release",
    "RetiredName",
    "SearchText",
    "SpentIdentity",
    "Team",
    "TeamMember",
    "TeamProject",
    "TotpApp",
    "Transfer",
    "TrustedPublisher",
    "User",
    "begin_writing",
    "db",
    "insert_into",
    "kept_name_owner",
    "minted_token_publisher",
    "token_project",
]
