"""A certificate of a server on this machine, signed by itself, with the dates that a test needs.

X.509 in DER, signed by ECDSA on the curve P-256 (Standards for Efficient Cryptography 1 and 2). Slow and with no
protection of its key: for tests alone.
"""

from __future__ import annotations

import secrets
from base64 import encodebytes
from datetime import datetime
from hashlib import sha256

P = 2**256 - 2**224 + 2**192 + 2**96 - 1
N = 0xFFFFFFFF00000000FFFFFFFFFFFFFFFFBCE6FAADA7179E84F3B9CAC2FC632551
G = (
    0x6B17D1F2E12C4247F8BCE6E563A440F277037D812DEB33A0F4A13945D898C296,
    0x4FE342E2FE1A7F9B8EE7EB4A7C0F9E162BCE33576B315ECECBB6406837BF51F5,
)
Point = tuple[int, int] | None


def certified(start: datetime, end: datetime) -> str:
    """Certificate and private key for 127.0.0.1 as one PEM text; every call draws a new key."""
    secret = 1 + secrets.randbelow(N - 1)
    public = times(secret, G)
    assert public is not None
    shown = b"\0\x04" + b"".join(number.to_bytes(32, "big") for number in public)
    curve = sequence(oid(1, 2, 840, 10045, 2, 1), oid(1, 2, 840, 10045, 3, 1, 7))
    signing = sequence(oid(1, 2, 840, 10045, 4, 3, 2))
    name = sequence(field(0x31, sequence(oid(2, 5, 4, 3), field(0x0C, b"a test"))))
    address = sequence(oid(2, 5, 29, 17), field(0x04, sequence(field(0x87, bytes([127, 0, 0, 1])))))
    authority = sequence(oid(2, 5, 29, 19), field(0x01, b"\xff"), field(0x04, sequence(field(0x01, b"\xff"))))
    body = sequence(
        field(0xA0, integer(2)),
        integer(1 + secrets.randbelow(2**63)),
        signing,
        name,
        sequence(moment(start), moment(end)),
        name,
        sequence(curve, field(0x03, shown)),
        field(0xA3, sequence(address, authority)),
    )
    whole = sequence(body, signing, field(0x03, b"\0" + signature(secret, body)))
    key = sequence(
        integer(1),
        field(0x04, secret.to_bytes(32, "big")),
        field(0xA0, oid(1, 2, 840, 10045, 3, 1, 7)),
        field(0xA1, field(0x03, shown)),
    )
    return pem("EC PRIVATE KEY", key) + pem("CERTIFICATE", whole)


def signature(secret: int, body: bytes) -> bytes:
    """ECDSA with SHA-256."""
    digest = int.from_bytes(sha256(body).digest(), "big")
    while True:
        once = 1 + secrets.randbelow(N - 1)
        point = times(once, G)
        assert point is not None
        r = point[0] % N
        s = pow(once, -1, N) * (digest + r * secret) % N
        if r and s:
            return sequence(integer(r), integer(s))


def times(count: int, point: Point) -> Point:
    """A point added to itself."""
    total: Point = None
    while count:
        total = plus(total, point) if count & 1 else total
        point, count = plus(point, point), count >> 1
    return total


def plus(one: Point, other: Point) -> Point:
    """The sum of two points; None is the neutral one."""
    if one is None or other is None:
        return other if one is None else one
    if one[0] == other[0] and (one[1] + other[1]) % P == 0:
        return None
    if one == other:
        slope = (3 * one[0] ** 2 - 3) * pow(2 * one[1], -1, P)
    else:
        slope = (other[1] - one[1]) * pow(other[0] - one[0], -1, P)
    x = (slope**2 - one[0] - other[0]) % P
    return x, (slope * (one[0] - x) - one[1]) % P


# ----------------------------------------------------------------------------------------------- DER


def field(tag: int, content: bytes) -> bytes:
    size = len(content)
    length = bytes([size]) if size < 128 else bytes([0x82]) + size.to_bytes(2, "big")
    return bytes([tag]) + length + content


def sequence(*parts: bytes) -> bytes:
    return field(0x30, b"".join(parts))


def integer(value: int) -> bytes:
    return field(0x02, value.to_bytes(value.bit_length() // 8 + 1, "big"))


def moment(time: datetime) -> bytes:
    """Universal time with a year of two digits, good until 2049."""
    return field(0x17, f"{time:%y%m%d%H%M%SZ}".encode())


def oid(first: int, second: int, *rest: int) -> bytes:
    content = bytes([40 * first + second])
    for number in rest:
        digits = [number & 127]
        while number := number >> 7:
            digits.append(128 | number & 127)
        content += bytes(reversed(digits))
    return field(0x06, content)


def pem(name: str, content: bytes) -> str:
    return f"-----BEGIN {name}-----\n{encodebytes(content).decode()}-----END {name}-----\n"
