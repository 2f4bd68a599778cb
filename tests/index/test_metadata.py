"""What the file says of itself counts, is checked, and is told to pages in plain values."""

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from domain.index.filenames import InvalidFile, parse_filename
from domain.index.metadata import Metadata, read_metadata
from tests.packages import a_metadata

FILENAME = parse_filename("acme_utils-1.0-py3-none-any.whl", name="acme-utils", version="1.0")


def read(*, description: str = "", **fields: str | list[str]) -> Metadata:
    return read_metadata(a_metadata(description=description, **fields), FILENAME)


def test_the_least_metadata_is_enough() -> None:
    found = read()

    assert (found.name, found.version, found.metadata_version) == ("acme-utils", "1.0", "2.4")
    assert (found.summary, found.description, found.requires_python) == ("", "", None)
    assert found.requires_dist == found.classifiers == found.keywords == ()
    assert found.links == {}
    assert found.raw == {"metadata_version": "2.4", "name": "acme-utils", "version": "1.0"}


def test_all_that_pages_need_is_told() -> None:
    found = read(
        Summary="Small tools",
        Description_Content_Type="text/markdown; charset=UTF-8; variant=GFM",
        Author_Email='Ana Søe <ana@example.org>, "Bo, Dr." <bo@example.org>, c@example.org',
        Maintainer="Cy",
        License_Expression="mit or Apache-2.0",
        Keywords="tools,small",
        Classifier=["Programming Language :: Python :: 3", "Private :: acme only"],
        Requires_Python=">=3.9, !=3.10.0",
        Requires_Dist=["requests (>=2)", "click; extra == 'cli'"],
        Provides_Extra=["CLI_Tools", "CLI_Tools"],
        License_File=["LICENSE", "licenses/NOTICE"],
        Import_Name=["acme_utils", "_acme ; private"],
        Import_Namespace="acme",
        Dynamic=["Summary", "classifier"],
        Project_URL=["Source, https://example.org/src", "Docs,http://docs.example.org"],
        description="# Größe\n\nText.\n",
    )

    assert found.summary == "Small tools"
    assert found.description == "# Größe\n\nText."
    assert found.description_content_type == "text/markdown; charset=UTF-8; variant=GFM"
    assert found.author == "Ana Søe, Bo, Dr."
    assert found.maintainer == "Cy"
    assert found.license_expression == "MIT OR Apache-2.0"
    assert found.keywords == ("tools", "small")
    assert found.classifiers == ("Programming Language :: Python :: 3", "Private :: acme only")
    assert found.requires_python == "!=3.10.0,>=3.9"
    assert found.requires_dist == ("requests>=2", 'click; extra == "cli"')
    assert found.provides_extra == ("cli-tools",)
    assert found.license_files == ("LICENSE", "licenses/NOTICE")
    assert found.links == {"Source": "https://example.org/src", "Docs": "http://docs.example.org"}
    assert orjson.loads(orjson.dumps(found.raw))["keywords"] == ["tools", "small"]


@pytest.mark.parametrize("version", ["1.0", "1.1", "1.2", "2.1", "2.2", "2.3", "2.4", "2.5"])
def test_every_version_of_the_format_is_read(version: str) -> None:
    assert read(Metadata_Version=version, Summary="Small tools").summary == "Small tools"


def test_empty_unknown_new_and_foreign_fields_do_no_harm() -> None:
    found = read(
        Metadata_Version="2.1",
        Home_page="UNKNOWN",
        Author="",
        Requires_Python="",
        Keywords="",
        Classifier=["", "Typing :: Typed"],
        License_File="LICENSE",
        X_Builder="ours",
        description="UNKNOWN",
    )

    assert found.author is found.requires_python is None
    assert found.classifiers == ("Typing :: Typed",)
    assert found.description == ""
    assert found.links == {}
    assert "home_page" not in found.raw


def test_a_description_that_stands_among_the_headers_is_unfolded() -> None:
    folded = "Title\n        =====\n        \n            code\n       |Text"

    assert read(Metadata_Version="1.2", Description=folded).description == "Title\n=====\n\n    code\nText"


def test_the_spaces_of_a_description_below_the_headers_are_its_own() -> None:
    text = "List:\n\n    - item::\n\n        code\n       |text"

    assert read(description=text).description == text


@pytest.mark.parametrize("text", ["acme (>=1.0)", "acme.tools", "_acme_utils"])
def test_what_old_tools_say_that_a_package_needs_is_no_fault(text: str) -> None:
    assert read(Metadata_Version="1.1", Requires=text, Provides=text, Obsoletes=text).raw["requires"] == [text]


def test_an_empty_import_name_says_that_there_is_nothing_to_import() -> None:
    assert read(Metadata_Version="2.5", Import_Name="").metadata_version == "2.5"


def test_a_summary_over_several_lines_becomes_one() -> None:
    assert read(Summary="Small\n  tools").summary == "Small tools"


def test_old_link_fields_join_the_links() -> None:
    found = read(
        Home_page="https://example.org/",
        Download_URL="https://example.org/src",
        Project_URL="Source, https://example.org/src",
    )

    assert found.links == {"Source": "https://example.org/src", "Homepage": "https://example.org/"}


def test_a_label_that_comes_twice_keeps_its_first_link() -> None:
    found = read(Project_URL=["Docs, https://one.example", "Docs, https://two.example"])

    assert found.links == {"Docs": "https://one.example"}


@pytest.mark.parametrize(
    "url",
    [
        "javascript:alert(1)",
        "data:text/html,x",
        "ftp://example.org",
        "//example.org",
        "https://",
        "http://[",
        "https://e.org/a b",
        "https://example.org/\u202e",
    ],
)
def test_what_is_no_web_address_is_refused(url: str) -> None:
    for field, text in (("Home_page", url), ("Download_URL", url), ("Project_URL", f"Docs, {url}")):
        with pytest.raises(InvalidFile, match="is not a valid web address"):
            read(**{field: text})


def test_addresses_in_a_network_of_ones_own_are_links() -> None:
    assert read(Project_URL="Wiki, http://wiki:8080/acme", Author_email="ana@buildhost").links == {
        "Wiki": "http://wiki:8080/acme"
    }


def test_a_direct_url_is_kept_where_it_is_allowed() -> None:
    content = a_metadata(Requires_Dist="other @ https://example.org/other.whl")

    assert read_metadata(content, FILENAME, takes_direct_urls=True).requires_dist == (
        "other @ https://example.org/other.whl",
    )


@pytest.mark.parametrize(
    ("fields", "words"),
    [
        ({"Name": "acne"}, "is of project 'acne', not 'acme-utils'"),
        ({"Name": ""}, "'name' is a required field"),
        ({"Name": "acme utils"}, "invalid for 'name'"),
        ({"Version": "1.1"}, r"is of version 1\.1, not 1\.0"),
        ({"Version": ""}, "'version' is a required field"),
        ({"Version": "one"}, "invalid for 'version'"),
        ({"Version": "1." + "0." * 40 + "0"}, "The limit is 64"),
        ({"Metadata_Version": "9.9"}, "not a valid metadata version"),
        ({"Metadata_Version": ""}, "not a valid metadata version"),
        ({"Summary": "x" * 513}, "summary has 513 characters"),
        ({"Requires_Python": ">=3.6.*"}, "invalid for 'requires-python'"),
        ({"Requires_Python": ",".join(f"!=3.{n}" for n in range(90))}, "Requires-Python is too long"),
        ({"Requires_Dist": "not a requirement"}, "invalid for 'requires-dist'"),
        ({"Requires_Dist": "a; " + "(" * 5000 + "os_name=='x'" + ")" * 5000}, "not valid"),
        ({"License_Expression": "My Own"}, "Invalid license expression|invalid for 'license-expression'"),
        ({"Description_Content_Type": "text/html"}, "description-content-type"),
        ({"Classifier": "Topic :: Nonsense"}, "classifier 'Topic :: Nonsense' is not known"),
        ({"Classifier": "Natural Language :: Ukranian"}, "has been deprecated, use one of .*Ukrainian.* instead"),
        ({"Author_email": "nobody"}, "Author-email 'nobody' is not a valid email address"),
        ({"Author_email": "Doe, John <john@example.org>"}, "is not a valid email address"),
        ({"Maintainer_email": "a@b@example.org"}, "Maintainer-email 'a@b@example.org' is not a valid"),
        ({"Project_URL": "x" * 33 + ", https://example.org"}, "needs a label of 1 to 32 characters"),
        ({"Project_URL": ", https://example.org"}, "needs a label of 1 to 32 characters"),
        ({"Project_URL": "https://example.org"}, "needs a label|is not a valid web address"),
        ({"Project_URL": "Docs,"}, "Project-URL 'Docs' has '', which is not a valid web address"),
        ({"Requires_Dist": "x @ git+ssh://example.org/x"}, "Can't have direct dependency"),
        ({"Requires_Dist": "x @ file:///x.whl ; extra == 'x'"}, "Can't have direct dependency"),
        ({"Provides_Dist": "x @ https://example.org/x.whl"}, "Provides-Dist .* is not a name with versions"),
        ({"Obsoletes_Dist": "not one"}, "Obsoletes-Dist 'not one' is not a name with versions"),
        ({"Requires": "not one"}, "Requires 'not one' is not a name with versions"),
        ({"Provides_Extra": "not one"}, "invalid for 'provides-extra'"),
        ({"Provides_Extra": ["a.b", "a_b"]}, "Provides-Extra gives 'a-b' twice"),
        ({"Dynamic": "Version"}, "'version' is not allowed as a dynamic field"),
        ({"Dynamic": "Colour"}, "'colour' is not a valid dynamic field"),
        ({"License": "MIT", "License_Expression": "MIT"}, "License is deprecated when License-Expression is present"),
        ({"License_File": "/LICENSE"}, "invalid for 'license-file'"),
        ({"License_File": "LICEN[CS]E*"}, "invalid for 'license-file'"),
        ({"Import_Name": "acme-utils"}, "invalid for 'import-name'"),
        ({"Import_Name": "class"}, "'class' is a keyword"),
        ({"Import_Namespace": "acme; public"}, "only valid option is 'private'"),
        ({"Import_Name": "acme", "Import_Namespace": "acme ; private"}, "import name 'acme' is given twice"),
        ({"Name": ["acme-utils", "acme-utils"]}, "gives Name twice"),
        ({"Summary": ["one", "other"]}, "gives Summary twice"),
        ({"Summary": "a\0b"}, "NUL"),
        ({f"X{number}": "" for number in range(101)}, "too many fields"),
        ({"Classifier": ["x"] * 20_001}, "too many fields"),
    ],
)
def test_metadata_that_would_mislead_is_refused_in_words(fields: dict[str, str | list[str]], words: str) -> None:
    with pytest.raises(InvalidFile, match=words) as refusal:
        read_metadata(a_metadata(**fields), FILENAME)  # type: ignore[arg-type] # any field may be wrong

    assert refusal.value.message.isascii()
    assert "\n" not in refusal.value.message
    assert len(refusal.value.message) < 400


@pytest.mark.parametrize("content", [b"", b"\n", b"\xff\xfe", b"Name: caf\xe9\n", b"<html>", b"\0" * 100])
def test_what_is_no_metadata_is_refused(content: bytes) -> None:
    with pytest.raises(InvalidFile):
        read_metadata(content, FILENAME)


def test_a_nul_in_an_encoded_body_is_found() -> None:
    content = a_metadata(Content_Transfer_Encoding="base64", description="AEFB")

    with pytest.raises(InvalidFile, match="NUL"):
        read_metadata(content, FILENAME)


FIELDS = st.sampled_from(
    ["Name", "Version", "Summary", "Description", "Keywords", "Project-URL", "Requires-Dist", "Requires-Python",
     "Author-email", "License-Expression", "Description-Content-Type", "Content-Type", "Content-Transfer-Encoding",
     "Import-Name", "Dynamic", "Home-page", ""]
)  # fmt: skip


@given(st.lists(st.tuples(FIELDS, st.text(max_size=30)), max_size=6), st.binary(max_size=60))
def test_any_metadata_is_either_told_or_refused(fields: list[tuple[str, str]], body: bytes) -> None:
    content = a_metadata() + "".join(f"{field}: {text}\n" for field, text in fields).encode() + b"\n" + body

    try:
        found = read_metadata(content, FILENAME)
    except InvalidFile:
        return

    assert found.name == "acme-utils"
    assert orjson.loads(orjson.dumps(found.raw)) == found.raw
