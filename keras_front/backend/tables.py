"""Tables of what was made for shapes, keys and signatures: they are bounded, and age one entry at a time.

There are at most `ENTRIES` entries in each: programs of one function, calls on single batches of one model. A full
table drops one at random. Dropping the one that was used longest ago would make a loop over one shape more than there
is room for miss every time; at random it misses a few in a hundred.
"""

from __future__ import annotations

import random
from typing import Any

ENTRIES = 512

_draw = random.Random(0)


def make_room(table: dict[Any, Any], *beside: dict[Any, Any], entries: int | None = None) -> None:
    """Drop entries of a table until there is room for one more.

    Args:
        table: the table.
        beside: tables with the same keys, from which the same entries are dropped.
        entries: how many the table may have; None for `ENTRIES`.

    Example:
        >>> squares, cubes = {2: 4, 3: 9}, {2: 8, 3: 27}
        >>> make_room(squares, cubes, entries=2)
        >>> len(squares), list(squares) == list(cubes)
        (1, True)
    """
    bound = ENTRIES if entries is None else entries
    while len(table) >= bound:
        key = _draw.choice(list(table))
        for each in (table, *beside):
            each.pop(key, None)
