"""TLS before an EDC, as a company's reverse proxy is: what comes over TLS goes on in the clear, over loopback.

    front = TlsFront(certificate, key, inner_port)
    print(front.port); front.stop()
"""
import contextlib
import socket
import ssl
import threading

from ports import free_ports


class TlsFront:
    def __init__(self, certificate, key, inner_port):
        self.port, self.inner_port, self.accepted = free_ports(1)[0], inner_port, 0
        self.context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        self.context.load_cert_chain(certificate, key)
        self.listener = socket.create_server(("127.0.0.1", self.port))
        threading.Thread(target=self._listen, daemon=True).start()

    def stop(self):
        # A thread in accept() hears of a shutdown, not of a close.
        with contextlib.suppress(OSError):
            self.listener.shutdown(socket.SHUT_RDWR)
        self.listener.close()

    def _listen(self):
        with contextlib.suppress(OSError):
            while True:
                outer, _ = self.listener.accept()
                threading.Thread(target=self._serve, args=(outer,), daemon=True).start()

    def _serve(self, outer):
        with contextlib.suppress(OSError), self.context.wrap_socket(outer, server_side=True) as secure:
            self.accepted += 1
            with socket.create_connection(("127.0.0.1", self.inner_port)) as inner:
                back = threading.Thread(target=self._copy, args=(inner, secure), daemon=True)
                back.start()
                self._copy(secure, inner)
                back.join()

    @staticmethod
    def _copy(source, sink):
        with contextlib.suppress(OSError):
            while piece := source.recv(65536):
                sink.sendall(piece)
        with contextlib.suppress(OSError):
            sink.shutdown(socket.SHUT_WR)
