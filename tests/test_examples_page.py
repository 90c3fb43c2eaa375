"""The page of examples: none is missing on it, it says what they say, and its pictures are there."""

from __future__ import annotations

import re

import make_examples
import pytest

PAGE = make_examples.PAGE.read_text()
ENTRIES = make_examples.entries(PAGE)


def test_every_example_is_on_the_page_in_its_part():
    assert list(ENTRIES) == make_examples.examples()
    assert len(ENTRIES) == len(list(make_examples.EXAMPLES.rglob("*.py")))


@pytest.mark.parametrize("name", make_examples.examples())
def test_the_page_says_what_an_example_says_how_long_it_takes_and_what_it_prints(name):
    text = ENTRIES.get(name, "")
    assert make_examples.said(name) in text, f"run `python docs/make_examples.py {name}`"
    assert re.search(r"It takes \d+ s\.\n\n```text\n.+\n```\n", text, re.S)
    assert (make_examples.picture_of(name) in text) == (name in make_examples.DRAWN)


def test_the_pictures_of_the_page_are_there():
    named = re.findall(r"!\[.{15,}\]\(pictures/(.*)\)", PAGE)
    assert sorted(named) == sorted(map(make_examples.picture_of, make_examples.DRAWN))
    assert [name for name in named if not (make_examples.PICTURES / name).exists()] == []
