"""Every frame that crosses one network interface, and what the frames say. AF_PACKET and the standard library only.

    with Capture("veth0") as capture:
        ...
    streams = capture.streams()         # {(source, port, destination, port): bytes} of each TCP direction, reassembled

Link, IP and TCP headers are counted from the frames themselves; retransmitted bytes count once in the streams.
"""
import collections
import socket
import struct
import threading

ETH_P_ALL, SOL_PACKET, PACKET_STATISTICS, SO_RCVBUFFORCE = 3, 263, 6, 33
FIN, SYN, ACK = 1, 2, 16

Segment = collections.namedtuple("Segment", "flow flags sequence payload frame_bytes")


def segment_of(frame):
    """A TCP segment over IPv4, or None."""
    if len(frame) < 54 or frame[12:14] != b"\x08\x00" or frame[23] != 6:
        return None
    ip_header = (frame[14] & 15) * 4
    length = struct.unpack_from(">H", frame, 16)[0]
    at = 14 + ip_header
    source, target, sequence = struct.unpack_from(">HHI", frame, at)
    tcp_header = (frame[at + 12] >> 4) * 4
    flow = (socket.inet_ntoa(frame[26:30]), source, socket.inet_ntoa(frame[30:34]), target)
    return Segment(flow, frame[at + 13], sequence, frame[at + tcp_header:14 + length], len(frame))


class Capture:
    def __init__(self, interface):
        self.socket = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, socket.htons(ETH_P_ALL))
        try:
            self.socket.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 256 << 20)
        except PermissionError:  # not in a user namespace: the ordinary limit
            self.socket.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 256 << 20)
        self.socket.bind((interface, 0))
        self.socket.settimeout(0.2)
        self.frames, self.lost, self.ended = [], 0, threading.Event()
        self.thread = threading.Thread(target=self._read, daemon=True)

    def _read(self):
        while True:
            try:
                self.frames.append(self.socket.recv(1 << 17))
            except TimeoutError:
                if self.ended.is_set():
                    return

    def __enter__(self):
        self.thread.start()
        return self

    def __exit__(self, *_):
        self.ended.set()
        self.thread.join()
        self.lost = struct.unpack("II", self.socket.getsockopt(SOL_PACKET, PACKET_STATISTICS, 8))[1]
        self.socket.close()

    def segments(self):
        return [s for s in map(segment_of, self.frames) if s]

    def streams(self):
        pieces, first = collections.defaultdict(dict), {}
        for s in self.segments():
            if s.flags & SYN:
                first[s.flow] = s.sequence + 1
            elif s.payload:
                pieces[s.flow].setdefault(s.sequence, s.payload)
                if len(s.payload) > len(pieces[s.flow][s.sequence]):
                    pieces[s.flow][s.sequence] = s.payload
        streams = {}
        for flow, found in pieces.items():
            stream = bytearray()
            for sequence in sorted(found, key=lambda q: (q - first[flow]) % 2**32):
                at = (sequence - first[flow]) % 2**32
                assert at <= len(stream), f"{flow}: bytes {len(stream)} to {at} are missing from the capture"
                stream[at:at + len(found[sequence])] = found[sequence]
            streams[flow] = bytes(stream)
        return streams


def tls_records(stream):
    """(type, length without the header) of each record of one direction."""
    at = 0
    while at < len(stream):
        kind, length = stream[at], struct.unpack_from(">H", stream, at + 3)[0]
        assert kind in (20, 21, 22, 23) and stream[at + 1] == 3, f"expected a TLS record at byte {at}"
        yield kind, length
        at += 5 + length
