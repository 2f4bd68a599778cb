"""Pages as files: there wholly or not at all, in their own folder, and gone when they are withdrawn."""

from pathlib import Path

import pytest

from adapters.static_tree import FILES, PageFile, StaticTree


@pytest.fixture
def tree(tmp_path: Path) -> StaticTree:
    return StaticTree(tmp_path, for_members=False)


def files(text: str = "page", stamp: int = 7) -> dict[str, PageFile]:
    return {name: PageFile(f"{text} as {name}".encode(), stamp) for name in FILES}


def standing(folder: Path) -> set[str]:
    return {str(path.relative_to(folder)) for path in folder.rglob("*") if path.is_file()}


def test_a_page_stands_in_the_folder_of_its_name_with_the_stamps_that_it_was_given(
    tree: StaticTree, tmp_path: Path
) -> None:
    tree.put("acme-utils", files())

    assert standing(tmp_path) == {f"open/simple/acme-utils/{name}" for name in FILES}
    assert (tmp_path / "open/simple/acme-utils/index.json.gz").read_bytes() == b"page as index.json.gz"
    assert {(tmp_path / name).stat().st_mtime for name in standing(tmp_path)} == {7.0}
    assert tree.stamps("acme-utils") == (7, 7)
    assert tree.names() == {"", "acme-utils"}


def test_the_list_stands_above_the_projects(tree: StaticTree, tmp_path: Path) -> None:
    tree.put("", files())

    assert standing(tmp_path) == {f"open/simple/{name}" for name in FILES}
    tree.withdraw("")
    assert standing(tmp_path) == set()
    assert (tmp_path / "open/simple").is_dir()


def test_what_is_withdrawn_is_gone_with_its_folder_and_twice_does_no_harm(tree: StaticTree, tmp_path: Path) -> None:
    tree.put("acme-utils", files())

    tree.withdraw("acme-utils")
    tree.withdraw("acme-utils")

    assert list((tmp_path / "open/simple").iterdir()) == []
    assert tree.stamps("acme-utils") == (None, None)
    assert tree.names() == {""}


def test_a_page_that_was_cut_short_is_seen_to_be_so_and_withdrawn_whole(tree: StaticTree, tmp_path: Path) -> None:
    half = {name: file for name, file in files().items() if name != "index.json"}

    with pytest.raises(KeyError):
        tree.put("acme-utils", half)
    (tmp_path / "open/simple/acme-utils/.incoming").write_bytes(b"half a file")

    assert tree.stamps("acme-utils") == (7, None)
    tree.withdraw("acme-utils")
    assert standing(tmp_path) == set()


def test_no_file_of_the_list_is_taken_for_a_project(tree: StaticTree, tmp_path: Path) -> None:
    half = {name: file for name, file in files().items() if name != "index.json"}
    with pytest.raises(KeyError):
        tree.put("", half)
    (tmp_path / "open/simple/.incoming").write_bytes(b"half a file")

    assert tree.names() == {""}
    assert not [name for name in standing(tmp_path) if "." not in Path(name).name]


@pytest.mark.parametrize(
    "name",
    [
        ".",
        "..",
        "../other",
        "a/b",
        "/etc",
        "Acme",
        "acme_utils",
        "a.b",
        "-a",
        "a-",
        "a--b",
        "a\n",
        "a\0",
        "é",
        "a b",
        "%2e",
    ],
)
def test_what_is_no_normalised_name_becomes_no_path(tree: StaticTree, tmp_path: Path, name: str) -> None:
    with pytest.raises(ValueError, match="is not a normalised name"):
        tree.put(name, files())
    with pytest.raises(ValueError, match="is not a normalised name"):
        tree.withdraw(name)
    with pytest.raises(ValueError, match="is not a normalised name"):
        tree.stamps(name)

    assert standing(tmp_path) == set()


def test_what_somebody_else_put_there_is_no_page(tree: StaticTree, tmp_path: Path) -> None:
    (tmp_path / "open/simple/README.txt").write_text("Do not touch.")
    (tmp_path / "open/simple/readme").write_text("Do not touch.")

    assert tree.names() == {""}


def test_pages_for_members_lie_apart_and_those_for_everybody_go_when_the_index_is_closed(
    tree: StaticTree, tmp_path: Path
) -> None:
    tree.put("acme-utils", files())

    closed = StaticTree(tmp_path, for_members=True)
    left = standing(tmp_path)
    closed.put("acme-utils", files())

    assert left == set()
    assert standing(tmp_path) == {f"members/simple/acme-utils/{name}" for name in FILES}
    assert not (tmp_path / "open").exists()


def test_what_an_older_process_goes_on_writing_for_others_can_be_removed_again(
    tree: StaticTree, tmp_path: Path
) -> None:
    closed = StaticTree(tmp_path, for_members=True)
    (tmp_path / "open/simple").mkdir(parents=True)
    tree.put("acme-utils", files())

    closed.forget_others()

    assert standing(tmp_path) == set()
