"""Free ports of loopback for processes that scripts and tests start."""
import random
import socket

_given = set()


def free_ports(count):
    """Below those that the system gives to outgoing connections: what is killed and started again, or takes seconds to
    bind, would find its port gone. No port is given twice by one process."""
    ports = []
    while len(ports) < count:
        port = random.randrange(20_000, 32_000)
        if port in _given:
            continue
        with socket.socket() as s:
            s.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
            try:
                s.bind(("0.0.0.0", port))
            except OSError:
                continue
        _given.add(port)
        ports.append(port)
    return ports
