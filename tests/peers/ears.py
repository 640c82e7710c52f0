"""A program outside that is sent calls: a WebSocket server (RFC 6455) that writes down what it hears."""

import array
import base64
import hashlib
import json
import socket
import struct
import threading

MAGIC = "258EAFA5-E914-47DA-95CA-C5AB0DC85B11"


class Copy:
    """One connection: what it was told in words, and the two channels."""

    def __init__(self, headers):
        self.headers, self.words, self.sound = headers, [], bytearray()

    def channel(self, n):
        samples = array.array("h", bytes(self.sound[: len(self.sound) // 4 * 4]))
        return samples[n::2]


class Ears:
    def __init__(self, world):
        self.copies, self.open = [], []
        self.listener = socket.create_server(("127.0.0.1", 0))
        self.url = f"ws://127.0.0.1:{self.listener.getsockname()[1]}/calls"
        world.ends.append(self.close)
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            try:
                connection, _ = self.listener.accept()
            except OSError:
                return
            self.open.append(connection)
            threading.Thread(target=self.serve, args=(connection,), daemon=True).start()

    def serve(self, connection):
        file = connection.makefile("rb")
        headers = {}
        while True:
            line = file.readline().decode().strip()
            if not line:
                break
            name, _, value = line.partition(":")
            headers[name.lower()] = value.strip()
        key = base64.b64encode(hashlib.sha1((headers["sec-websocket-key"] + MAGIC).encode()).digest()).decode()
        connection.sendall(
            f"HTTP/1.1 101 Switching Protocols\r\nUpgrade: websocket\r\nConnection: Upgrade\r\nSec-WebSocket-Accept: {key}\r\n\r\n".encode()
        )
        copy = Copy(headers)
        self.copies.append(copy)
        try:
            while self.frame(file, copy):
                pass
        except (OSError, struct.error, ValueError):
            pass
        connection.close()

    @staticmethod
    def frame(file, copy):
        first, second = struct.unpack("!BB", file.read(2))
        size = second & 0x7F
        if size == 126:
            (size,) = struct.unpack("!H", file.read(2))
        elif size == 127:
            (size,) = struct.unpack("!Q", file.read(8))
        mask = file.read(4) if second & 0x80 else b"\0\0\0\0"
        body = bytes(b ^ mask[i % 4] for i, b in enumerate(file.read(size)))
        kind = first & 0x0F
        if kind == 1:
            copy.words.append(json.loads(body))
        elif kind == 2:
            copy.sound += body
        return kind != 8

    def cut(self):
        """Every connection breaks."""
        for connection in self.open:
            try:
                connection.shutdown(socket.SHUT_RDWR)
            except OSError:
                pass
        self.open = []

    def close(self):
        self.listener.close()
        self.cut()
