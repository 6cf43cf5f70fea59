# Receives IPFIX over UDP faster than any exporter sends and writes each sender's messages, one
# after another, to a file of its own (RFC 5655). Arguments: address, port (0: any), folder.
# Says the port on a first line; answers each line on standard input with its counts in JSON.
import json
import os
import select
import socket
import struct
import sys

SO_RCVBUFFORCE = 33
SO_MEMINFO = 55
MEMINFO_DROPS = 8
SOL_UDP = 17
UDP_GRO = 104


class Collector:
    def __init__(self, address, port, folder):
        family = socket.AF_INET6 if ":" in address else socket.AF_INET
        self.sock = socket.socket(family, socket.SOCK_DGRAM)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 29)
        # What was sent as one by UDP_SEGMENT arrives as one.
        self.sock.setsockopt(SOL_UDP, UDP_GRO, 1)
        self.sock.bind((address, port))
        self.sock.setblocking(False)
        self.folder = folder
        self.buffer = bytearray(1 << 16)
        self.view = memoryview(self.buffer)
        self.senders = {}

    def sender(self, address):
        if address not in self.senders:
            path = os.path.join(self.folder, f"{len(self.senders)}.ipfix")
            self.senders[address] = {
                "address": address[0],
                "port": address[1],
                "file": path,
                "datagrams": 0,
                "longest": 0,
                "out": open(path, "wb", buffering=1 << 20),
            }
        return self.senders[address]

    def receive(self):
        """Everything that is there."""
        while True:
            try:
                length, control, _, address = self.sock.recvmsg_into([self.buffer], 64)
            except BlockingIOError:
                return
            segment = length
            for level, kind, data in control:
                if level == SOL_UDP and kind == UDP_GRO:
                    segment = struct.unpack("=i", data[:4])[0]
            sender = self.sender(address[:2])
            sender["datagrams"] += -(-length // segment) if length else 1
            sender["longest"] = max(sender["longest"], min(segment, length))
            sender["out"].write(self.view[:length])

    def drops(self):
        info = self.sock.getsockopt(socket.SOL_SOCKET, SO_MEMINFO, 36)
        return struct.unpack("=9I", info)[MEMINFO_DROPS]

    def answer(self):
        self.receive()
        for sender in self.senders.values():
            sender["out"].flush()
        senders = [
            {key: value for key, value in sender.items() if key != "out"}
            for sender in self.senders.values()
        ]
        print(json.dumps({"drops": self.drops(), "senders": senders}), flush=True)

    def serve(self):
        print(self.sock.getsockname()[1], flush=True)
        while True:
            readable = select.select([self.sock, sys.stdin], [], [])[0]
            if self.sock in readable:
                self.receive()
            if sys.stdin in readable:
                if not sys.stdin.readline():
                    return
                self.answer()


Collector(sys.argv[1], int(sys.argv[2]), sys.argv[3]).serve()
