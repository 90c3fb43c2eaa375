"""The wire format of protocol buffers, read without a schema: fields by their numbers.

Only what the files of TensorFlow need. Everything is checked against the length of the bytes that are there.
Source: https://protobuf.dev/programming-guides/encoding.
"""

from __future__ import annotations

from collections.abc import Iterator

from keras_front.errors import SerializationError

__all__ = ["Message", "varint"]

MOST = 500_000  # fields of one message: a model has one for each layer, weight and slot
LONGEST = 10  # bytes of a number of 64 bits


def varint(data: bytes, place: int) -> tuple[int, int]:
    """A number of variable length, and the place behind it.

    Args:
        data: the bytes.
        place: where it begins.

    Raises: SerializationError if it does not end.
    """
    value = 0
    for shift, byte in enumerate(data[place : place + LONGEST]):
        value |= (byte & 127) << (7 * shift)
        if byte < 128:
            return value & (1 << 64) - 1, place + shift + 1
    raise SerializationError("expected a number of variable length, received bytes that do not end one")


class Message:
    """The fields of a message by their numbers, each a list: numbers as they are, everything else as bytes.

    Args:
        data: the bytes of the message.

    Raises: SerializationError for bytes that are no message.
    """

    def __init__(self, data: bytes):
        self.fields: dict[int, list[int | bytes]] = {}
        for count, (number, value) in enumerate(_fields(data)):
            if count == MOST:
                raise SerializationError(f"expected a message of at most {MOST} fields, received more")
            self.fields.setdefault(number, []).append(value)

    def number(self, field: int, default: int = 0) -> int:
        """A number, the last one of its field.

        Args:
            field: number of the field.
            default: what it is if there is none.
        """
        value = self.fields.get(field, [default])[-1]
        if not isinstance(value, int):
            raise SerializationError(f"expected a number in field {field}, received bytes")
        return value

    def parts(self, field: int) -> list[bytes]:
        """The byte strings of a field.

        Args:
            field: number of the field.
        """
        found = self.fields.get(field, [])
        if not all(isinstance(value, bytes) for value in found):
            raise SerializationError(f"expected bytes in field {field}, received a number")
        return found  # type: ignore[return-value]

    def text(self, field: int) -> str:
        """The text of a field, empty if there is none.

        Args:
            field: number of the field.
        """
        return (self.parts(field) or [b""])[-1].decode("utf-8", "replace")

    def messages(self, field: int) -> list[Message]:
        """The messages of a field.

        Args:
            field: number of the field.
        """
        return [Message(part) for part in self.parts(field)]


def _fields(data: bytes) -> Iterator[tuple[int, int | bytes]]:
    place = 0
    while place < len(data):
        key, place = varint(data, place)
        kind, size = key & 7, {1: 8, 5: 4}.get(key & 7)
        if kind == 0:
            value, place = varint(data, place)
            yield key >> 3, value
            continue
        if kind == 2:
            size, place = varint(data, place)
        if size is None or place + size > len(data):
            raise SerializationError("expected a message of protocol buffers, received other bytes")
        yield key >> 3, data[place : place + size]
        place += size
