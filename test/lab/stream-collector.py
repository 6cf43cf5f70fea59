# Receives IPFIX over TCP or TLS and writes each connection's octets to a file of its own (RFC 5655).
# Arguments in JSON: address, port (0: any), folder, and optionally backlog, receiveBuffer, accept
# (false: connections stay in the backlog), tls (cert, key, ca, tickets). Says the port on a first
# line. Answers each line on standard input, a command in JSON, with its connections in JSON:
#   list                     nothing else
#   pause, resume            stops reading, goes on
#   slow                     from now on reads `octets` each `seconds`
#   say                      sends `text` on all connections
#   halfClose, close, reset  ends all connections: its own half (TCP only), in order, by RST
import json
import os
import queue
import select
import socket
import ssl
import struct
import sys
import threading
import time

options = json.loads(sys.argv[1])
reading = threading.Event()
reading.set()
pace = {"octets": 65536, "seconds": 0}
connections = []


class Connection:
    """Everything is done by one thread, since a socket that another waits at cannot be reset."""

    def __init__(self, sock, peer):
        self.sock = sock
        self.orders = queue.SimpleQueue()
        self.facts = {
            "port": peer[1],
            "file": os.path.join(options["folder"], f"{len(connections)}.ipfix"),
            "octets": 0,
            "state": "open",
        }
        self.out = open(self.facts["file"], "wb", buffering=0)
        connections.append(self)
        threading.Thread(target=self.serve, daemon=True).start()

    def serve(self):
        try:
            if "tls" in options:
                self.sock = context.wrap_socket(self.sock, server_side=True)
            while self.facts["state"] == "open":
                while not self.orders.empty():
                    self.obey(**self.orders.get())
                if self.facts["state"] == "open" and reading.is_set() and self.readable():
                    self.receive()
                elif not reading.is_set():
                    time.sleep(0.01)
        except OSError as error:
            self.facts["state"] = str(error)
        self.sock.close()

    def readable(self):
        held = "tls" in options and self.sock.pending() > 0
        return held or select.select([self.sock], [], [], 0.01)[0]

    def receive(self):
        data = self.sock.recv(pace["octets"])
        if not data:
            self.facts["state"] = "ended"
        self.out.write(data)
        self.facts["octets"] += len(data)
        time.sleep(pace["seconds"])

    def obey(self, command, text=""):
        if command == "say":
            self.sock.sendall(text.encode())
        elif command == "halfClose":
            self.sock.shutdown(socket.SHUT_WR)
        elif command == "close":
            self.facts["state"] = command
            if "tls" in options:
                self.sock = self.sock.unwrap()
        elif command == "reset":
            self.facts["state"] = command
            linger = struct.pack("ii", 1, 0)
            self.sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)


def accept():
    while True:
        Connection(*listener.accept())


def obey(order):
    command = order["command"]
    if command == "pause":
        reading.clear()
    elif command == "resume":
        reading.set()
    elif command == "slow":
        pace.update(octets=order["octets"], seconds=order["seconds"])
    elif command != "list":
        for one in connections:
            one.orders.put(order)


if "tls" in options:
    tls = options["tls"]
    context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
    context.load_cert_chain(tls["cert"], tls["key"])
    context.load_verify_locations(tls["ca"])
    context.verify_mode = ssl.CERT_REQUIRED
    context.num_tickets = tls.get("tickets", 2)

address = options["address"]
listener = socket.socket(socket.AF_INET6 if ":" in address else socket.AF_INET)
listener.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
if "receiveBuffer" in options:
    listener.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, options["receiveBuffer"])
listener.bind((address, options["port"]))
listener.listen(options.get("backlog", 128))
if options.get("accept", True):
    threading.Thread(target=accept, daemon=True).start()
print(listener.getsockname()[1], flush=True)
for line in sys.stdin:
    obey(json.loads(line))
    print(json.dumps([one.facts for one in connections]), flush=True)
