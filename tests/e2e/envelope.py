"""Envelopes as docs/wire-format.md has them, and Ed25519 as RFC 8032 has it: written from the documents, not from our code,
so that tests can send what an honest partner never would.

    envelope = Envelope(raw_bytes)
    envelope.header["round"] += 1
    forged = envelope.sealed(key)          # key: 32 bytes, the seed in partner.key
"""
import base64
import hashlib
import json
import os
import struct
import time

P = 2**255 - 19
L = 2**252 + 27742317777372353535851937790883648493
D = -121665 * pow(121666, P - 2, P) % P
BASE_Y = 4 * pow(5, P - 2, P) % P


def _recover_x(y):
    xx = (y * y - 1) * pow(D * y * y + 1, P - 2, P)
    x = pow(xx, (P + 3) // 8, P)
    if (x * x - xx) % P:
        x = x * pow(2, (P - 1) // 4, P) % P
    return P - x if x & 1 else x


BASE = (_recover_x(BASE_Y), BASE_Y, 1, _recover_x(BASE_Y) * BASE_Y % P)


def _add(p, q):
    a, b = (p[1] - p[0]) * (q[1] - q[0]) % P, (p[1] + p[0]) * (q[1] + q[0]) % P
    c, d = 2 * p[3] * q[3] * D % P, 2 * p[2] * q[2] % P
    e, f, g, h = b - a, d - c, d + c, b + a
    return e * f % P, g * h % P, f * g % P, e * h % P


def _times(scalar, point):
    total = (0, 1, 1, 0)
    while scalar:
        if scalar & 1:
            total = _add(total, point)
        point, scalar = _add(point, point), scalar >> 1
    return total


def _packed(point):
    inverse = pow(point[2], P - 2, P)
    x, y = point[0] * inverse % P, point[1] * inverse % P
    return (y | (x & 1) << 255).to_bytes(32, "little")


def _expand(seed):
    digest = hashlib.sha512(seed).digest()
    scalar = int.from_bytes(digest[:32], "little") & ~7 & ~(1 << 255) | 1 << 254
    return scalar, digest[32:]


def public_key(seed):
    return _packed(_times(_expand(seed)[0], BASE))


def sign(seed, context, message):
    return _signed(seed, b"entente/v1/" + context.encode() + b"\0" + message)


def token(seed, participant, audience):
    """What a connector sends to prove who it is (docs/dataspace.md)."""
    part = lambda value: base64.urlsafe_b64encode(value).rstrip(b"=")  # noqa: E731
    now = int(time.time())
    claims = {"iss": participant, "sub": participant, "aud": audience, "iat": now, "exp": now + 60, "jti": os.urandom(16).hex()}
    signed = b".".join(part(json.dumps(x).encode()) for x in ({"alg": "EdDSA", "typ": "JWT", "kid": participant}, claims))
    return (signed + b"." + part(_signed(seed, signed))).decode()


def _signed(seed, message):
    scalar, prefix = _expand(seed)
    key = _packed(_times(scalar, BASE))
    r = int.from_bytes(hashlib.sha512(prefix + message).digest(), "little") % L
    point = _packed(_times(r, BASE))
    k = int.from_bytes(hashlib.sha512(point + key + message).digest(), "little") % L
    return point + ((r + k * scalar) % L).to_bytes(32, "little")


def _unpacked(encoded):
    number = int.from_bytes(encoded, "little")
    y, odd = number & ~(1 << 255), number >> 255
    x = _recover_x(y)
    if x & 1 != odd:
        x = P - x
    return x, y, 1, x * y % P


def verify_signature(key, message, signature):
    """Bare Ed25519: over exactly these bytes."""
    k = int.from_bytes(hashlib.sha512(signature[:32] + key + message).digest(), "little") % L
    right = _add(_unpacked(signature[:32]), _times(k, _unpacked(key)))
    return _packed(_times(int.from_bytes(signature[32:], "little"), BASE)) == _packed(right)


class Envelope:
    def __init__(self, raw):
        self.kind, header_bytes, payload_bytes = struct.unpack_from("<HIQ", raw, 6)
        at = 20 + header_bytes
        self.payload = raw[at:at + payload_bytes]
        self._bytes, self._at = raw[20:at], 0
        h = self.header = {name: self._string() for name in ("federation", "sender", "agreement")}
        h.update((name, self._take(32)) for name in ("plan", "schema", "base_model"))
        h["round"], h["encoding"], h["content_bytes"] = self._number("Q"), self._number("B"), self._number("Q")
        h["content"] = self._take(32)
        h["tensors"] = [(self._string(), [self._number("I") for _ in range(self._number("Q"))]) for _ in range(self._number("Q"))]
        h["weight"] = self._number("Q")
        h["measures"] = [(self._string(), self._number("d")) for _ in range(self._number("Q"))]
        h["signer"] = self._take(32)
        assert self._at == header_bytes and len(raw) == at + payload_bytes + 64

    def _take(self, count):
        self._at += count
        return self._bytes[self._at - count:self._at]

    def _number(self, code):
        return struct.unpack("<" + code, self._take(struct.calcsize("<" + code)))[0]

    def _string(self):
        return self._take(self._number("Q")).decode()

    def sealed(self, seed, signer=None):
        """The whole envelope, signed with `seed`; its header names that key unless another is given."""
        h = self.header
        text = lambda s: struct.pack("<Q", len(s)) + s.encode()  # noqa: E731
        header = b"".join((
            text(h["federation"]), text(h["sender"]), text(h["agreement"]), h["plan"], h["schema"], h["base_model"],
            struct.pack("<QBQ", h["round"], h["encoding"], h["content_bytes"]), h["content"],
            struct.pack("<Q", len(h["tensors"])),
            *(text(name) + struct.pack(f"<Q{len(shape)}I", len(shape), *shape) for name, shape in h["tensors"]),
            struct.pack("<QQ", h["weight"], len(h["measures"])),
            *(text(name) + struct.pack("<d", value) for name, value in h["measures"]),
            signer or public_key(seed)))
        signed = struct.pack("<4sHHIQ", b"ENTF", 1, self.kind, len(header), len(self.payload)) + header
        return signed + self.payload + sign(seed, "frame", signed)
