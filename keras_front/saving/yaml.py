"""YAML as configs of models need it: mappings, lists, texts, numbers, true, false and null.

Keras 1 and 2 wrote and read structures as YAML by PyYAML. What PyYAML writes for them is read here, and what is written
here PyYAML reads. The rest of YAML is refused, above all tags that make objects: reading never executes (decision D12).
Source: YAML 1.1 and 1.2; Keras 2.3.1, `keras/engine/network.py`, `to_yaml`, and `keras/engine/saving.py`.
"""

from __future__ import annotations

import json
import math
import re
from collections.abc import Iterator, Mapping
from typing import Any, NamedTuple

from keras_front.errors import SerializationError, UnsafeFileError

from . import guard

__all__ = ["dump", "parse"]


# Writing ---------------------------------------------------------------------------------------------

_PLAIN = re.compile(r"[A-Za-z_][\w./-]*\Z", re.ASCII)


def dump(value: Any, sort_keys: bool = True) -> str:
    """YAML text in block style.

    Args:
        value: mappings, lists, tuples (which become lists), texts, numbers, booleans and None.
        sort_keys: whether the keys of a mapping stand in alphabetical order, as PyYAML writes them.

    Raises: SerializationError for anything else.
    Example:
        >>> print(dump({"units": 3, "activation": None, "shape": [2, 0.5]}), end="")
        activation: null
        shape:
        - 2
        - 0.5
        units: 3
    """
    return "\n".join(_block(value, sort_keys)) + "\n"


def _block(value: Any, sort_keys: bool) -> Iterator[str]:
    if isinstance(value, Mapping) and value:
        for key in sorted(value) if sort_keys else value:
            yield from _entry(f"{_scalar(key)}:", value[key], sort_keys)
    elif isinstance(value, list | tuple) and value:
        for item in value:
            first, *rest = _block(item, sort_keys)
            yield f"- {first}"
            yield from (f"  {line}" for line in rest)
    else:
        yield "{}" if isinstance(value, Mapping) else "[]" if isinstance(value, list | tuple) else _scalar(value)


def _entry(head: str, value: Any, sort_keys: bool) -> Iterator[str]:
    if not isinstance(value, Mapping | list | tuple) or not value:
        yield f"{head} {next(_block(value, sort_keys))}"
        return
    yield head
    margin = "  " if isinstance(value, Mapping) else ""
    yield from (margin + line for line in _block(value, sort_keys))


def _scalar(value: Any) -> str:
    if value is None or isinstance(value, bool | int):
        return json.dumps(value)
    if isinstance(value, float):
        return _number(value)
    if isinstance(value, str):
        return value if _PLAIN.match(value) and isinstance(_resolved(value), str) else _quoted(value)
    raise SerializationError(f"Cannot write {value!r} as YAML: expected a text, a number, true, false or null.")


def _number(value: float) -> str:
    if math.isnan(value):
        return ".nan"
    if math.isinf(value):
        return ".inf" if value > 0 else "-.inf"
    text = repr(value)
    return text if "." in text else text.replace("e", ".0e")  # to YAML 1.1 1e-07 is a text


def _quoted(text: str) -> str:
    """In double quotes as JSON has them; beyond 16 bits YAML has an escape of its own."""
    return "".join(f"\\U{ord(c):08x}" if ord(c) > 0xFFFF else json.dumps(c)[1:-1] for c in text).join('""')


# Reading ---------------------------------------------------------------------------------------------

CONTINUED = 2_000  # lines that one value may take
ALIASED = 1_000_000  # values that repetitions of an anchored value may stand for, all together

_KEY = re.compile(
    r"""(?P<key>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*'|[^\s\[\]{},&*!|>'"%@`#?-][^#]*?|[?-][^\s#][^#]*?)"""
    r"""\s*:(?=\s|$)"""
)
_PROPERTY = re.compile(r"(!<[^>]*>|[&!][^\s,\[\]{}]*)(?:\s+|$)")
_COMMENT = re.compile(r"(?:^|\s)#.*$")
# Tags of plain values; PyYAML writes `!!python/tuple` for the shapes in configs. No other tag is read.
_HARMLESS = frozenset(
    "!!bool !!float !!int !!map !!null !!seq !!str !!python/bool !!python/dict !!python/float !!python/int "
    "!!python/list !!python/none !!python/str !!python/tuple !!python/unicode".split()
)


class _Line(NamedTuple):
    number: int
    indent: int
    text: str


def parse(text: str, where: str = "The YAML") -> Any:
    r"""What a YAML text says.

    Args:
        text: one document, within the subset that describes models.
        where: what to call it in messages.

    Raises: SerializationError for text that is no YAML or beyond the subset; UnsafeFileError for tags that make
        objects, and for texts too long, too deep or made to explode.
    Example:
        >>> parse("a: [1, 2.5, ~]\nb: !!python/tuple\n- yes\n- 'it''s'")
        {'a': [1, 2.5, None], 'b': [True, "it's"]}
    """
    return _Parser(guard.text_of(text, where), where).document()


class _Parser:
    """Reads line by line; a value that opens a bracket or quote takes the lines up to the closing one."""

    def __init__(self, text: str, where: str):
        self.where = where
        self.lines = [
            _Line(number, len(line) - len(line.lstrip(" ")), line.strip())
            for number, line in enumerate(_ended(text.splitlines()), 1)
        ]
        self.place = 0
        self.depth = 0
        self.aliased = 0
        self.anchors: dict[str, tuple[Any, int]] = {}

    def document(self) -> Any:
        line = self.peek()
        while line is not None and (line.text.startswith("%") or line.text == "---"):
            self.place += 1
            line = self.peek()
        if line is not None and line.text.startswith("--- "):
            self.lines[self.place] = line._replace(indent=4, text=line.text[4:].strip())
        value = self.block(-1) if self.peek() is not None else None
        rest = self.peek()
        if rest is not None:
            raise self.wrong(f"text that belongs to nothing: {rest.text!r:.60}")
        return value

    # Lines -------------------------------------------------------------------------------------------

    def peek(self) -> _Line | None:
        """The next line that says something."""
        while self.place < len(self.lines):
            line = self.lines[self.place]
            if line.text and not line.text.startswith("#"):
                return line
            self.place += 1
        return None

    def wrong(self, found: str) -> SerializationError:
        number = self.lines[min(self.place, len(self.lines) - 1)].number if self.lines else 0
        return SerializationError(f"{self.where}, line {number}: expected YAML as Keras wrote it, received {found}.")

    # Blocks ------------------------------------------------------------------------------------------

    def block(self, parent: int, beside: bool = False) -> Any:
        """The value that the next lines hold; None if they stand no deeper than `parent`.

        A list that is the value of a key may stand as deep as the key (`beside`).
        """
        line = self.peek()
        if line is None or line.indent < parent or (line.indent == parent and not (beside and _is_item(line.text))):
            return None
        self.depth += 1
        if self.depth > guard.CONFIG_DEPTH:
            raise UnsafeFileError(f"{self.where}: expected at most {guard.CONFIG_DEPTH} levels, received more.")
        value = self._block_at(line, parent)
        self.depth -= 1
        return value

    def _block_at(self, line: _Line, parent: int) -> Any:
        if _is_item(line.text):
            return self.items(line.indent)
        if _KEY.match(line.text):
            return self.mapping(line.indent)
        self.place += 1
        return self.value(line.text, parent)

    def items(self, indent: int) -> list[Any]:
        found = []
        while (line := self.peek()) is not None and line.indent == indent and _is_item(line.text):
            rest = line.text[1:].lstrip()
            if _is_item(rest) or _KEY.match(rest):  # a list or mapping that begins on this line
                inner = indent + len(line.text) - len(rest)
                self.lines[self.place] = line._replace(indent=inner, text=rest)
                found.append(self.block(indent))
            else:
                self.place += 1
                found.append(self.value(rest, indent))
        return found

    def mapping(self, indent: int) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        while (line := self.peek()) is not None and line.indent == indent and (match := _KEY.match(line.text)):
            self.place += 1
            key = self.key(match.group("key"))
            if key in found:
                raise self.wrong(f"the key {key!r} twice")
            found[key] = self.value(line.text[match.end() :].strip(), indent, beside=True)
        line = self.peek()
        if line is not None and line.indent > indent:
            raise self.wrong(f"{line.text!r:.60}")
        return found

    def key(self, text: str) -> Any:
        return _unquoted(text) if text[0] in "\"'" else _resolved(text)

    def value(self, text: str, indent: int, beside: bool = False) -> Any:
        """The value after a key or dash, or alone on its line, with what it takes of the lines below."""
        anchor, text = self.properties(text)
        if not _COMMENT.sub("", text):
            value = self.block(indent, beside)
        elif text[0] in "[{":
            value = _Flow(self, self.gathered(text)).whole()
        elif text[0] in "\"'":
            value = _unquoted(self.gathered(text))
        elif text[0] == "*":
            value = self.alias(_COMMENT.sub("", text))
        elif text[0] in "|>@`%":
            raise self.wrong(f"{text!r:.60}")
        else:
            value = _resolved(self.plain(text, indent))
        if anchor:
            self.anchors[anchor] = (value, _size(value))
        return value

    def properties(self, text: str) -> tuple[str, str]:
        """The anchor, if there is one, and the text after anchor and tag."""
        anchor = ""
        while match := _PROPERTY.match(text):
            found = match.group(1)
            if found[0] == "&":
                anchor = found[1:]
            elif found not in _HARMLESS:
                raise UnsafeFileError(
                    f"{self.where}: expected texts, numbers, lists and mappings, received the tag {found!r:.80}.\n"
                    "  It asks for an object to be made, which reading a file never does."
                )
            text = text[match.end() :]
        return anchor, text

    def alias(self, text: str) -> Any:
        if text[1:] not in self.anchors:
            raise self.wrong(f"{text!r:.60}, which stands for nothing above")
        value, size = self.anchors[text[1:]]
        self.aliased += size
        if self.aliased > ALIASED:
            raise UnsafeFileError(
                f"{self.where}: expected at most {ALIASED} values by repetition, received more.\n"
                "  The text was made to exhaust its reader."
            )
        return value

    def plain(self, text: str, indent: int) -> str:
        """A text without quotes, with the deeper lines that continue it."""
        parts = [_COMMENT.sub("", text).strip()]
        while (line := self.peek()) is not None and line.indent > indent and not _KEY.match(line.text):
            parts.append(_COMMENT.sub("", line.text).strip())
            self.place += 1
        return " ".join(parts)

    def gathered(self, text: str) -> str:
        """`text` with as many further lines as the quote or bracket that it opens needs to be closed."""
        for _ in range(CONTINUED):
            mark = _open_mark(text)
            if not mark:
                return text
            if self.place >= len(self.lines):
                break
            line = self.lines[self.place].text
            text = f"{text} {line}" if mark == "[" else _fold(text, line, mark)
            self.place += 1
        raise self.wrong(f"a value of more than {CONTINUED} lines, or an open bracket or quote at the end")


def _ended(lines: list[str]) -> list[str]:
    """The lines before the mark that ends a document."""
    return lines[: lines.index("...")] if "..." in lines else lines


def _is_item(text: str) -> bool:
    return text == "-" or text.startswith("- ")


def _size(value: Any) -> int:
    inner = value.values() if isinstance(value, dict) else value if isinstance(value, list) else ()
    return 1 + sum(map(_size, inner))


# Values within brackets ------------------------------------------------------------------------------

_TOKEN = re.compile(
    r"""\s*(?:(?P<quoted>"(?:[^"\\]|\\.)*"|'(?:[^']|'')*')|(?P<sign>[\[\]{},]|(?<=["']):|:(?=[\s,\[\]{}]|$))"""
    r"""|(?P<property>!<[^>]*>|[&!*][^\s,\[\]{}]*)"""
    r"""|(?P<plain>(?!["'\s])(?:[^\s\[\]{},:]|:(?=[^\s,\[\]{}])|"""
    r"""\s+(?=[^\s\[\]{},:#]))+))""",
    re.DOTALL,
)


class _Flow:
    """Reads `[...]` and `{...}`."""

    def __init__(self, parser: _Parser, text: str):
        self.parser = parser
        self.tokens = list(_TOKEN.finditer(text))
        self.place = 0
        rest = _TOKEN.sub("", text).strip()
        if rest:
            raise parser.wrong(f"{rest!r:.60} within brackets")

    def whole(self) -> Any:
        value = self.value()
        if self.place != len(self.tokens):
            raise self.parser.wrong(f"{self.sign()!r} after the closing bracket")
        return value

    def sign(self) -> str:
        """The next token."""
        if self.place >= len(self.tokens):
            raise self.parser.wrong("an open bracket at the end")
        return self.tokens[self.place].group(0).strip()

    def value(self) -> Any:
        self.parser.depth += 1
        if self.parser.depth > guard.CONFIG_DEPTH:
            raise UnsafeFileError(f"{self.parser.where}: expected at most {guard.CONFIG_DEPTH} levels, received more.")
        anchor = ""
        while self.sign()[0] in "&!":
            anchor = self.parser.properties(self.sign())[0] or anchor
            self.place += 1
        found = self._value()
        self.parser.depth -= 1
        if anchor:
            self.parser.anchors[anchor] = (found, _size(found))
        return found

    def _value(self) -> Any:
        sign = self.sign()
        if sign in ",]}":
            return None
        self.place += 1
        if sign == "[":
            return list(self.members("]"))
        if sign == "{":
            return self.pairs()
        if sign[0] == "*":
            return self.parser.alias(sign)
        return _unquoted(sign) if sign[0] in "\"'" else _resolved(sign)

    def members(self, end: str) -> Iterator[Any]:
        while self.sign() != end:
            yield self.value()
            self.comma(end)
        self.place += 1

    def pairs(self) -> dict[Any, Any]:
        found: dict[Any, Any] = {}
        while self.sign() != "}":
            key = self.value()
            if self.sign() == ":":
                self.place += 1
                found[key] = self.value()
            else:
                found[key] = None
            self.comma("}")
        self.place += 1
        return found

    def comma(self, end: str) -> None:
        if self.sign() == ",":
            self.place += 1
        elif self.sign() != end:
            raise self.parser.wrong(f"{self.sign()!r:.60} where a comma or {end!r} belongs")


def _open_mark(text: str) -> str:
    """The quote that `text` leaves open, or '[' for a bracket; '' if all that it opens is closed."""
    place = depth = 0
    while match := _TOKEN.match(text, place):
        place, sign = match.end(), match.group("sign")
        depth += (sign in ("[", "{")) - (sign in ("]", "}"))
        if not depth:
            return ""
    rest = text[place:].lstrip()
    return rest[0] if rest[:1] in ("'", '"') else "" if rest else "["


# Scalars ---------------------------------------------------------------------------------------------

_WORDS = {
    **dict.fromkeys(("", "~", "null", "Null", "NULL"), None),
    **dict.fromkeys(("true", "True", "TRUE", "yes", "Yes", "YES", "on", "On", "ON"), True),
    **dict.fromkeys(("false", "False", "FALSE", "no", "No", "NO", "off", "Off", "OFF"), False),
}
LONGEST_NUMBER = 400  # digits; what is longer is a text, for Python takes no longer integers from texts
_INTEGER = re.compile(r"[-+]?(?:0|[1-9][0-9_]*|0x[0-9a-fA-F_]+|0b[01_]+)\Z")
_OCTAL = re.compile(r"[-+]?0[0-7_]+\Z")
_FLOAT = re.compile(r"[-+]?(?:[0-9][0-9_]*(?:\.[0-9_]*)?|\.[0-9_]+)(?:[eE][-+]?[0-9]+)?\Z")
_SPECIAL = re.compile(r"([-+]?)\.(inf|nan)\Z", re.IGNORECASE)


def _resolved(text: str) -> Any:
    """The value of a text without quotes."""
    if text in _WORDS:
        return _WORDS[text]
    if len(text) > LONGEST_NUMBER:
        return text
    if _INTEGER.match(text):
        return int(text.replace("_", ""), 0)
    if _OCTAL.match(text):
        return int(text.replace("_", ""), 8)
    if _FLOAT.match(text):
        return float(text.replace("_", ""))
    special = _SPECIAL.match(text)
    return float(special.group(1) + special.group(2)) if special else text


def _fold(text: str, line: str, quote: str) -> str:
    """A text with an open quote and its next line: a line end is a space, an empty line is a line end."""
    if quote == '"' and re.search(r"(?<!\\)(?:\\\\)*\\\Z", text):  # an escaped line end is nothing
        return text[:-1] + line
    if not line:
        return text + "\n"
    return text + line if text.endswith("\n") else f"{text} {line}"


_ESCAPE = re.compile(r"\\(?:x([0-9a-fA-F]{2})|u([0-9a-fA-F]{4})|U([0-9a-fA-F]{8})|(.))", re.DOTALL)
_ESCAPED = dict(zip('0abtnvfre "/\\N_LP', '\0\a\b\t\n\v\f\r\x1b "/\\\x85\xa0\u2028\u2029', strict=True))


def _unquoted(text: str) -> str:
    """The text within quotes, and nothing but a comment after them."""
    pattern = r'"((?:[^"\\]|\\.)*)"' if text[0] == '"' else r"'((?:[^']|'')*)'"
    match = re.match(pattern, text, re.DOTALL)
    if match is None or _COMMENT.sub("", text[match.end() :]).strip():
        raise SerializationError(f"The YAML: expected nothing after the closing quote, received {text!r:.80}.")
    inner = match.group(1)
    return inner.replace("''", "'") if text[0] == "'" else _ESCAPE.sub(_character, inner)


def _character(match: re.Match[str]) -> str:
    code = match.group(1) or match.group(2) or match.group(3)
    if code is not None and int(code, 16) <= 0x10FFFF:
        return chr(int(code, 16))
    if code is not None or match.group(4) not in _ESCAPED:
        raise SerializationError(f"The YAML: expected an escape that YAML knows, received {match.group(0)!r}.")
    return _ESCAPED[match.group(4)]
