"""The kinds of fields that people type into, and what is refused in them whatever they are for."""

import unicodedata

from wtforms import PasswordField, StringField, TextAreaField

TWICE = "This came more than once. Send the form again from its page."
# Besides what prints: other blanks, and format marks, which a name in Persian needs.
TYPED = ("Zs", "Cf")


class Line(StringField):
    """One line of text, without the blanks around it.

    Control characters are refused, and left out where the field is shown again: some must not stand on a page at all.
    """

    data: str  # of a form that was sent: a missing field is empty

    def process_formdata(self, valuelist: list[str]) -> None:
        text = valuelist[0].strip() if valuelist else ""
        self.data = "".join(char for char in text if char.isprintable() or unicodedata.category(char) in TYPED)
        if len(valuelist) > 1:
            raise ValueError(TWICE)
        if self.data != text:
            raise ValueError("Leave out line breaks and control characters.")


class Secret(PasswordField):
    """A password, exactly as it was typed. It is never shown again."""

    data: str

    def process_formdata(self, valuelist: list[str]) -> None:
        self.data = valuelist[0] if valuelist else ""
        if len(valuelist) > 1:
            raise ValueError(TWICE)


class Paragraphs(TextAreaField):
    """Lines of text, without the blanks around them. What a `Line` refuses is refused here, but for line breaks."""

    data: str  # of a form that was sent: a missing field is empty

    def process_formdata(self, valuelist: list[str]) -> None:
        text = valuelist[0].replace("\r\n", "\n").strip() if valuelist else ""
        kept = (char for char in text if char in "\n\t" or char.isprintable() or unicodedata.category(char) in TYPED)
        self.data = "".join(kept)
        if len(valuelist) > 1:
            raise ValueError(TWICE)
        if self.data != text:
            raise ValueError("Leave out control characters.")
