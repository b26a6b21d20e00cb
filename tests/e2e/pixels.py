"""Looks for pictures in bytes: strips of pixels as they lie in IDX files, or in the number formats that programs use.

A strip is 12 neighbouring pixels of one row, at least 6 of them different: too much to come about by chance. From each
picture the richest strip is looked for at every offset, in every form.
"""
import re
import struct

STRIP, SIDE = 12, 28

# How a program might send a pixel 0..255.
FORMS = {
    "bytes": bytes,
    "inverted bytes": lambda p: bytes(255 - v for v in p),
    "int16": lambda p: struct.pack(f"<{len(p)}h", *p),
    "float32 0..255": lambda p: struct.pack(f"<{len(p)}f", *p),
    "float32 0..1": lambda p: struct.pack(f"<{len(p)}f", *(v / 255 for v in p)),
    "float32 normalised": lambda p: struct.pack(f"<{len(p)}f", *((v / 255 - 0.1307) / 0.3081 for v in p)),
    "float64 0..1": lambda p: struct.pack(f"<{len(p)}d", *(v / 255 for v in p)),
    "hexadecimal": lambda p: bytes(p).hex().encode(),
    "decimal": lambda p: ",".join(map(str, p)).encode(),
}

# Rows of a drawing, whoever scaled it: strokes of 2 to 18 bytes between 9 or more zeros, six in a row.
STROKES = re.compile(rb"(?:[\x01-\xff]{2,18}\x00{9,26}){6}")


def images_of(path):
    raw = path.read_bytes()
    count = struct.unpack_from(">I", raw, 4)[0]
    return [raw[16 + 784 * i:16 + 784 * (i + 1)] for i in range(count)]


def richest_strip(image):
    best, most = None, 5
    for row in range(SIDE):
        for x in range(0, SIDE - STRIP + 1, 4):
            strip = image[SIDE * row + x:SIDE * row + x + STRIP]
            different = len(set(strip))
            if different > most:
                best, most = strip, different
    return best


class Finder:
    def __init__(self, images):
        self.strips = [s for s in map(richest_strip, images) if s]

    def find(self, stream):
        """Names of the forms in which something of a picture lies in the stream."""
        found = []
        for name, form in FORMS.items():
            # Decimal text has no fixed length: its first 24 bytes are looked for.
            wanted = {form(s)[:24] if name == "decimal" else form(s) for s in self.strips}
            for length in {len(w) for w in wanted}:
                if any(stream[i:i + length] in wanted for i in range(len(stream) - length + 1)):
                    found.append(name)
                    break
        if STROKES.search(stream):
            found.append("strokes")
        return found
