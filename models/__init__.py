"""Tables: columns, constraints, relations and tiny properties. No rules, no commit."""

from models.attempt import Attempt
from models.base import Base, begin_writing, db
from models.browser import KnownBrowser
from models.ceremony import Ceremony
from models.event import Event
from models.factor import Passkey, RecoveryCode, TotpApp
from models.mail import Mail
from models.project import Invitation, Project, ProjectRole, SimplePage
from models.release import DeletedFilename, File, Release
from models.session import BrowserSession
from models.token import ApiToken, token_project
from models.user import Email, User

__all__ = [
    "ApiToken",
    "Attempt",
    "Base",
    "BrowserSession",
    "Ceremony",
    "DeletedFilename",
    "Email",
    "Event",
    "File",
    "Invitation",
    "KnownBrowser",
    "Mail",
    "Passkey",
    "Project",
    "ProjectRole",
    "RecoveryCode",
    "Release",
    "SimplePage",
    "TotpApp",
    "User",
    "begin_writing",
    "db",
    "token_project",
]
