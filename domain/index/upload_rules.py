"""What an operator lets people upload, beyond or within what PyPI takes."""

from dataclasses import dataclass, field

from domain.index.tags import is_usual_platform

EVERY_PLATFORM = "all"


@dataclass(frozen=True)
class UploadRules:
    """The rules that are settings. As they stand here they are PyPI's.

    takes_direct_urls: requirements may name an address (PEP 508's "name @ https://…").
    takes_local_versions: versions may have a local part ("1.0+team.1").
    more_platforms: platform tags of wheels, lower case, beside those that PyPI takes; with EVERY_PLATFORM, all.
    max_file_bytes: of one file. max_project_bytes: of all files of one project; both unless the project has limits of
        its own. max_index_bytes: of everything that is kept; None for no limit.
    """

    takes_direct_urls: bool = False
    takes_local_versions: bool = False
    more_platforms: frozenset[str] = field(default=frozenset())
    max_file_bytes: int = 100 * 10**6
    max_project_bytes: int = 10 * 10**9
    max_index_bytes: int | None = None

    def takes_platform(self, tag: str) -> bool:
        """Whether wheels for this platform may be uploaded."""
        return EVERY_PLATFORM in self.more_platforms or tag in self.more_platforms or is_usual_platform(tag)
