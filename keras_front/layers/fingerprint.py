"""Two published 64-bit hashes of byte strings: FarmHash's fingerprint, and SipHash for use with a key.

Layers that put words into a fixed number of bins need a hash that is the same in every process, on every machine and
in other people's files; Python's own is none of that. All arithmetic is modulo 2**64. No layer is known here.
"""

from __future__ import annotations

from collections.abc import Sequence

_ALL = (1 << 64) - 1
_K0, _K1, _K2 = 0xC3A5C85C97CB3127, 0xB492B66FBE98F273, 0x9AE16A3B2F90404F


def farm_fingerprint(data: bytes) -> int:
    """FarmHash's 64-bit fingerprint, which never changes between versions.

    Source: Pike and Alakuijala (2014), FarmHash, `Fingerprint64`.
    """
    size = len(data)
    if size <= 16:
        return _up_to_16(data, size)
    if size <= 32:
        return _up_to_32(data, size)
    return _up_to_64(data, size) if size <= 64 else _longer(data, size)


def joined_fingerprints(first: int, second: int) -> int:
    """A fingerprint for two that follow each other.

    Source: TensorFlow, `FingerprintCat64`; the mixing is that of MurmurHash64A, Appleby (2008).
    """
    factor = 0xC6A4A7935BD1E995
    mixed = (first ^ factor) ^ _fold(second * factor & _ALL) * factor & _ALL
    return _fold(_fold(mixed * factor & _ALL) * factor & _ALL)


def _read(data: bytes, start: int, size: int = 8) -> int:
    return int.from_bytes(data[start : start + size], "little")


def _turn(x: int, right: int) -> int:
    x &= _ALL
    return (x >> right | x << (64 - right)) & _ALL


def _fold(x: int) -> int:
    return (x ^ (x >> 47)) & _ALL


def _mix(u: int, v: int, factor: int) -> int:
    """Two words to one."""
    v &= _ALL
    a = _fold(((u & _ALL) ^ v) * factor & _ALL)
    return _fold((v ^ a) * factor & _ALL) * factor & _ALL


def _up_to_16(data: bytes, size: int) -> int:
    factor = (_K2 + 2 * size) & _ALL
    if size >= 8:
        a, b = (_read(data, 0) + _K2) & _ALL, _read(data, size - 8)
        return _mix(_turn(b, 37) * factor + a, (_turn(a, 25) + b) * factor, factor)
    if size >= 4:
        return _mix(size + (_read(data, 0, 4) << 3), _read(data, size - 4, 4), factor)
    if size == 0:
        return _K2
    y = data[0] + (data[size >> 1] << 8)
    z = size + (data[-1] << 2)
    return _fold((y * _K2 ^ z * _K0) & _ALL) * _K2 & _ALL


def _up_to_32(data: bytes, size: int) -> int:
    factor = (_K2 + 2 * size) & _ALL
    a, b = _read(data, 0) * _K1, _read(data, 8)
    c, d = _read(data, size - 8) * factor, _read(data, size - 16) * _K2
    return _mix(_turn(a + b, 43) + _turn(c, 30) + d, a + _turn(b + _K2, 18) + c, factor)


def _up_to_64(data: bytes, size: int) -> int:
    factor = (_K2 + 2 * size) & _ALL
    a, b = _read(data, 0) * _K2, _read(data, 8)
    c, d = _read(data, size - 8) * factor, _read(data, size - 16) * _K2
    y = _turn(a + b, 43) + _turn(c, 30) + d
    z = _mix(y, a + _turn(b + _K2, 18) + c, factor)
    e, f = _read(data, 16) * factor, _read(data, 24)
    g, h = (y + _read(data, size - 32)) * factor, (z + _read(data, size - 24)) * factor
    return _mix(_turn(e + f, 43) + _turn(g, 30) + h, e + _turn(f + a, 18) + g, factor)


def _pair(data: bytes, start: int, a: int, b: int) -> tuple[int, int]:
    """32 bytes and two seeds to two words."""
    w, x, y, z = (_read(data, start + 8 * i) for i in range(4))
    a = (a + w) & _ALL
    b = _turn(b + a + z, 21)
    c = a
    a = (a + x + y) & _ALL
    return (a + z) & _ALL, (b + _turn(a, 44) + c) & _ALL


def _longer(data: bytes, size: int) -> int:
    x, y = 81, (81 * _K1 + 113) & _ALL
    z = _fold((y * _K2 + 113) & _ALL) * _K2 & _ALL
    v, w = (0, 0), (0, 0)
    x = (x * _K2 + _read(data, 0)) & _ALL
    last = (size - 1) // 64 * 64
    for start in range(0, last, 64):
        x, y, z, v, w = _round(data, start, x, y, z, v, w, _K1, 1)
    factor = (_K1 + ((z & 0xFF) << 1)) & _ALL
    rest = (size - 1) & 63
    w = ((w[0] + rest) & _ALL, w[1])
    v = ((v[0] + w[0]) & _ALL, v[1])
    w = ((w[0] + v[0]) & _ALL, w[1])
    x, y, z, v, w = _round(data, size - 64, x, y, z, v, w, factor, 9)
    left = _mix(v[0], w[0], factor) + _fold(y) * _K0 + z
    return _mix(left, _mix(v[1], w[1], factor) + x, factor)


def _round(
    data: bytes, at: int, x: int, y: int, z: int, v: tuple[int, int], w: tuple[int, int], factor: int, times: int
) -> tuple[int, int, int, tuple[int, int], tuple[int, int]]:
    """64 bytes taken into the state of 56; the last round has another factor and multiplies by 9."""
    x = _turn(x + y + v[0] + _read(data, at + 8), 37) * factor & _ALL
    y = _turn(y + v[1] + _read(data, at + 48), 42) * factor & _ALL
    x ^= w[1] * times & _ALL
    y = (y + v[0] * times + _read(data, at + 40)) & _ALL
    z = _turn(z + w[0], 33) * factor & _ALL
    v = _pair(data, at, v[1] * factor & _ALL, (x + w[0]) & _ALL)
    w = _pair(data, at + 32, (z + w[1]) & _ALL, (y + _read(data, at + 16)) & _ALL)
    return z, y, x, v, w


def siphash(data: bytes, key: Sequence[int]) -> int:
    """SipHash-2-4 of `data` under a key of two 64-bit words.

    Source: Aumasson and Bernstein (2012), section 2.
    """
    k0, k1 = (int(k) & _ALL for k in key)
    words = (0x736F6D6570736575, 0x646F72616E646F6D, 0x6C7967656E657261, 0x7465646279746573)
    v = [k ^ word for k, word in zip((k0, k1, k0, k1), words, strict=True)]
    whole = len(data) // 8 * 8
    last = _read(data, whole) | (len(data) & 0xFF) << 56
    for m in [*(_read(data, i) for i in range(0, whole, 8)), last]:
        v[3] ^= m
        _sip_rounds(v, 2)
        v[0] ^= m
    v[2] ^= 0xFF
    _sip_rounds(v, 4)
    return v[0] ^ v[1] ^ v[2] ^ v[3]


def _sip_rounds(v: list[int], times: int) -> None:
    a, b, c, d = v
    for _ in range(times):
        a, c = (a + b) & _ALL, (c + d) & _ALL
        b, d = _turn(b, 51) ^ a, _turn(d, 48) ^ c
        a = _turn(a, 32)
        a, c = (a + d) & _ALL, (c + b) & _ALL
        d, b = _turn(d, 43) ^ a, _turn(b, 47) ^ c
        c = _turn(c, 32)
    v[:] = a, b, c, d
