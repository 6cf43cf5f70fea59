# Receives IPFIX on UDP, one message after another, and counts: what was lost shows in the sequence numbers.
#
# Usage: receiver.py RECORD_OCTETS [gro]. RECORD_OCTETS: JSON, a number or one for each template id. Prints its port; answers each line on standard input with
# counts. With "gro" the kernel hands over, in one piece, what was sent in one piece.
import json
import select
import socket
import struct
import sys

RECORD_OCTETS = json.loads(sys.argv[1])
GRO = sys.argv[2:] == ["gro"]
SO_RCVBUFFORCE = 33
SOL_UDP = 17
UDP_GRO = 104
HEADERS = struct.Struct("!HHIIIHH")  # of a message (RFC 7011, 3.1) and of its first set (3.3.2)
FIRST_DATA_SET = 256

counts = {"messages": 0, "templates": 0, "records": 0, "gaps": 0, "malformed": 0}
expected = 0


def octets_of(template):
    """Octets of a template's records."""
    return RECORD_OCTETS if isinstance(RECORD_OCTETS, int) else RECORD_OCTETS[str(template)]


def message(buffer, at, length):
    """Counts the message of that length that begins at an octet of the buffer."""
    global expected
    version, stated, _, sequence, _, set_id, set_length = HEADERS.unpack_from(buffer, at)
    if version != 10 or stated != length or set_length != length - 16:
        counts["malformed"] += 1
        return
    counts["messages"] += 1
    if sequence != expected:
        counts["gaps"] += 1
    expected = sequence
    if set_id >= FIRST_DATA_SET:
        records = (set_length - 4) // octets_of(set_id)
        counts["records"] += records
        expected = sequence + records & 0xFFFFFFFF
    else:
        counts["templates"] += 1


def receive(sock, buffer):
    """Takes all that is there: one datagram at a time, or several in a row of the same length."""
    while True:
        try:
            if GRO:
                length, ancillary, _, _ = sock.recvmsg_into([buffer], 64)
            else:
                length, ancillary = sock.recv_into(buffer), []
        except BlockingIOError:
            return
        step = length
        for level, kind, data in ancillary:
            if level == SOL_UDP and kind == UDP_GRO:
                step = struct.unpack("=i", data)[0]
        for at in range(0, length, step):
            message(buffer, at, min(step, length - at))


def main():
    sock = socket.socket(socket.AF_INET6, socket.SOCK_DGRAM)
    sock.setsockopt(socket.SOL_SOCKET, SO_RCVBUFFORCE, 1 << 30)
    if GRO:
        sock.setsockopt(SOL_UDP, UDP_GRO, 1)
    sock.bind(("::1", 0))
    sock.setblocking(False)
    print(sock.getsockname()[1], flush=True)
    buffer = bytearray(65536)
    while True:
        ready, _, _ = select.select([sock, sys.stdin], [], [])
        if sock in ready:
            receive(sock, buffer)
        if sys.stdin in ready:
            if not sys.stdin.readline():
                return
            print(json.dumps(counts), flush=True)


main()
