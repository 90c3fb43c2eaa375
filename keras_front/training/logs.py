"""`LazyLogs`: the dict that hooks get, whose values are read from the engine when somebody looks."""

from __future__ import annotations

from collections.abc import Callable, Iterable, Iterator, Mapping
from typing import Any


class LazyLogs(dict):
    """A dict that has some values at once and fetches the others, all together, when one of them is asked
    for.

    Args:
        known: the values that are there.
        names: the names of the others.
        fetch: returns the others' values in the order of `names`.
    """

    __slots__ = ("_fetch", "_names")

    def __init__(self, known: Mapping[str, Any], names: Iterable[str] = (), fetch: Callable[[], Any] | None = None):
        super().__init__(known)
        self._names, self._fetch = tuple(names), fetch

    def _fill(self) -> None:
        fetch, self._fetch = self._fetch, None
        if fetch is not None:
            for name, value in zip(self._names, fetch(), strict=True):
                super().setdefault(name, value)

    def __missing__(self, key: str) -> Any:
        self._fill()
        if super().__contains__(key):
            return super().__getitem__(key)
        raise KeyError(key)

    def get(self, key: str, default: Any = None) -> Any:
        return self[key] if key in self else default

    def __contains__(self, key: object) -> bool:
        return super().__contains__(key) or (self._fetch is not None and key in self._names)

    def __iter__(self) -> Iterator[str]:
        self._fill()
        return super().__iter__()

    def __len__(self) -> int:
        self._fill()
        return super().__len__()

    def __eq__(self, other: object) -> bool:
        self._fill()
        return super().__eq__(other)

    def __ne__(self, other: object) -> bool:
        return not self == other

    def __repr__(self) -> str:
        self._fill()
        return super().__repr__()

    def keys(self) -> Any:
        self._fill()
        return super().keys()

    def values(self) -> Any:
        self._fill()
        return super().values()

    def items(self) -> Any:
        self._fill()
        return super().items()

    def copy(self) -> dict[str, Any]:
        self._fill()
        return dict(super().items())

    def pop(self, *arguments: Any) -> Any:
        self._fill()
        return super().pop(*arguments)

    def __reduce__(self) -> Any:
        return dict, (self.copy(),)
