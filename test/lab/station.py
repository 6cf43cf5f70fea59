# A station in a network namespace: sends and captures what Node cannot. One JSON command a line
# on standard input, one JSON answer a line on standard output, in the same order.
import fcntl
import json
import os
import select
import socket
import struct
import sys
import threading
import time

ETH_P_ALL = 0x0003
SOL_PACKET = 263
PACKET_AUXDATA = 8
PACKET_VNET_HDR = 15
PACKET_IGNORE_OUTGOING = 23
SO_RCVBUFFORCE = 33
TP_STATUS_VLAN_VALID = 0x10
TP_STATUS_VLAN_TPID_VALID = 0x40
TUNSETIFF = 0x400454CA
IFF_TUN = 0x0001
IFF_NO_PI = 0x1000
SOL_UDP = 17
UDP_SEGMENT = 103


def packet_socket(interface, protocol):
    """AF_PACKET socket of one interface; protocol 0 receives nothing."""
    sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
    sock.bind((interface, protocol))
    return sock


class Capture:
    """Frames that arrive at an interface, VLAN tags put back where the wire had them."""

    def __init__(self, interface):
        self.sock = socket.socket(socket.AF_PACKET, socket.SOCK_RAW, 0)
        self.sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 64 << 20)
        self.sock.setsockopt(SOL_PACKET, PACKET_AUXDATA, 1)
        self.sock.setsockopt(SOL_PACKET, PACKET_IGNORE_OUTGOING, 1)
        self.sock.bind((interface, ETH_P_ALL))
        self.sock.setblocking(False)

    def receive(self):
        """One frame, or None if none is there."""
        try:
            frame, control, _, _ = self.sock.recvmsg(1 << 17, 256)
        except BlockingIOError:
            return None
        for level, kind, data in control:
            if level != SOL_PACKET or kind != PACKET_AUXDATA:
                continue
            status, _, _, _, _, tci, tpid = struct.unpack("=IIIHHHH", data[:20])
            if status & TP_STATUS_VLAN_VALID:
                protocol = tpid if status & TP_STATUS_VLAN_TPID_VALID else 0x8100
                frame = frame[:12] + struct.pack("!HH", protocol, tci) + frame[12:]
        return frame

    def take(self, count, timeout, contains):
        """Up to `count` frames that contain some octets, waiting up to `timeout` seconds."""
        frames = []
        deadline = time.monotonic() + timeout
        while len(frames) < count:
            frame = self.receive()
            if frame is not None:
                if contains in frame:
                    frames.append(frame.hex())
                continue
            left = deadline - time.monotonic()
            if left <= 0 or not select.select([self.sock], [], [], left)[0]:
                break
        return frames


class Acceptor:
    """A TCP server that reads everything it is sent."""

    def __init__(self, address, port):
        self.server = socket.create_server((address, port), family=socket.AF_INET6)
        self.received = 0
        threading.Thread(target=self.accept, daemon=True).start()

    def accept(self):
        while True:
            connection, _ = self.server.accept()
            threading.Thread(target=self.drain, args=(connection,), daemon=True).start()

    def drain(self, connection):
        with connection:
            while data := connection.recv(1 << 20):
                self.received += len(data)


class Station:
    """The commands, by name; what they return is the answer."""

    def __init__(self):
        self.senders = {}
        self.captures = {}
        self.tuns = {}
        self.acceptors = {}

    def send(self, interface, frames):
        if interface not in self.senders:
            self.senders[interface] = packet_socket(interface, 0)
        for frame in frames:
            self.senders[interface].send(bytes.fromhex(frame))

    def send_offload(self, interface, frame, header):
        """With struct virtio_net_hdr: the kernel keeps `hdr_len` octets linear, the rest in pages."""
        with packet_socket(interface, 0) as sock:
            sock.setsockopt(SOL_PACKET, PACKET_VNET_HDR, 1)
            sock.send(struct.pack("=BBHHHH", *header) + bytes.fromhex(frame))

    def open_tun(self, name):
        fd = os.open("/dev/net/tun", os.O_RDWR)
        fcntl.ioctl(fd, TUNSETIFF, struct.pack("16sH22x", name.encode(), IFF_TUN | IFF_NO_PI))
        self.tuns[name] = fd

    def send_tun(self, name, packets):
        """The packets arrive at the tun device as if from its other end."""
        for packet in packets:
            os.write(self.tuns[name], bytes.fromhex(packet))

    def capture(self, interface):
        self.captures[interface] = Capture(interface)

    def take(self, interface, count, timeout, contains):
        return self.captures[interface].take(count, timeout, bytes.fromhex(contains))

    def stop_capture(self, interface):
        self.captures.pop(interface).sock.close()

    def send_udp(self, source, destination, options, size, count, segment):
        """`count` datagrams (or, with `segment`, GSO sends of that segment size) of `size` octets."""
        with socket.socket(socket.AF_INET6, socket.SOCK_DGRAM) as sock:
            if options:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_HOPOPTS, bytes.fromhex(options))
            if segment:
                sock.setsockopt(SOL_UDP, UDP_SEGMENT, segment)
            sock.bind(tuple(source))
            for _ in range(count):
                sock.sendto(bytes(size), tuple(destination))

    def accept_tcp(self, address, port):
        self.acceptors[port] = Acceptor(address, port)

    def received_tcp(self, port):
        return self.acceptors[port].received

    def send_tcp(self, source, destination, options, size):
        """Connects, with the options in every packet, and sends `size` octets as fast as can be."""
        with socket.socket(socket.AF_INET6, socket.SOCK_STREAM) as sock:
            if options:
                sock.setsockopt(socket.IPPROTO_IPV6, socket.IPV6_HOPOPTS, bytes.fromhex(options))
            sock.settimeout(30)
            sock.bind(tuple(source))
            sock.connect(tuple(destination))
            block = bytes(1 << 16)
            while size > 0:
                size -= sock.send(block[:size])


def main():
    station = Station()
    for line in sys.stdin:
        command, arguments = json.loads(line)
        try:
            answer = {"ok": getattr(station, command)(**arguments)}
        except Exception as error:
            answer = {"error": f"{command}: {error}"}
        print(json.dumps(answer), flush=True)


main()
