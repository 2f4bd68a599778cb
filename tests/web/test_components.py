"""Steps, traces, tables and commands keep their words, roles and lines."""

from tests.drawing import find, render, words


def test_steps_tell_which_are_done_and_which_is_current() -> None:
    source = '{% from "components/gate.html" import steps %}{{ steps(["Choose", "Connect", "Save"], 2) }}'

    items = render(source).findall(".//li")

    assert [words(item) for item in items] == ["Choose (done)", "Connect", "Save"]
    assert [item.get("aria-current") for item in items] == [None, "step", None]


def test_a_trace_says_each_state_in_words() -> None:
    steps = [
        {"question": "Signed in?", "state": "passed", "answer": "Yes.", "inputs": ["ana"]},
        {"question": "Second factor?", "state": "stopped", "answer": "No.", "inputs": []},
        {"question": "Fresh?", "state": "unreached", "answer": "", "inputs": []},
    ]

    root = render('{% from "components/gate.html" import trace %}{{ trace(steps) }}', steps=steps)

    assert [words(item) for item in root.findall(".//ol/li")] == [
        "Signed in? passed Yes. ana",
        "Second factor? stopped here No.",
        "Fresh? not reached",
    ]


def test_a_cell_of_a_table_keeps_its_role_and_its_heading() -> None:
    source = """{% from "components/tables.html" import table, row, row_head, cell %}
    {% call table("Files", ["File", "Size", none], right=["Size"]) %}{% call row() %}{{ row_head("a.whl") }}
    {{ cell("Size", "41 kB", num=true) }}{% call cell(none) %}<a href="/x">Remove</a>{% endcall %}
    {% endcall %}{% endcall %}"""

    root = render(source)

    size, action = root.findall(".//td")
    assert (size.get("role"), size.get("data-label"), size.get("class")) == ("cell", "Size", "num")
    assert (action.get("data-label"), action.get("class")) == (None, "table__actions")
    assert [words(head) for head in root.findall(".//thead//th")] == ["File", "Size", "Action"]


def test_a_code_block_keeps_its_lines() -> None:
    source = '{% from "components/copy.html" import code %}{{ code(text) }}'

    block = find(render(source, text="# a file\n[index]\nurl = <x>"), ".//pre")

    assert "".join(block.itertext()) == "# a file\n[index]\nurl = <x>"
    assert words(block.find(".//b")) == "# a file"


def test_a_copy_button_names_an_element_that_exists() -> None:
    root = render(
        """{% from "components/copy.html" import install %}
        {{ install([("pip", "pip install x"), ("uv", "uv add x")]) }}"""
    )

    named = [button.get("aria-controls") for button in root.findall(".//button")]
    assert [words(find(root, f".//*[@id='{key}']")) for key in named] == ["pip install x", "uv add x"]
