"""Runs a command on a kernel that answers about its IOAM as those that lack some of it do.

usage: without-ioam.py family|events COMMAND [ARGUMENT…]

family: there is no netlink family IOAM6 (before Linux 5.15, or without IPv6): ENOENT.
events: it has no multicast group for events (before Linux 6.9).

A seccomp filter has every sendto() wait for a supervisor. Where the command asks the kernel for the
family IOAM6, the supervisor has it ask for one that there is not, or for one without that group; all
answers are the kernel's own.
"""

import array
import ctypes
import errno
import fcntl
import os
import platform
import select
import socket
import struct
import sys

SENDTO, SECCOMP = {"x86_64": (44, 317), "aarch64": (206, 277)}[platform.machine()]
PR_SET_NO_NEW_PRIVS, SET_MODE_FILTER, NEW_LISTENER = 38, 1, 8
ALLOW, USER_NOTIF = 0x7FFF0000, 0x7FC00000
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER = 0  # struct seccomp_data
NOTIFICATION, ANSWER, CONTINUE = struct.Struct("=QIIiIQ6Q"), struct.Struct("=QqiI"), 1
RECEIVE = 3 << 30 | NOTIFICATION.size << 16 | ord("!") << 8 | 0
SEND = 3 << 30 | ANSWER.size << 16 | ord("!") << 8 | 1

# Netlink attributes CTRL_ATTR_FAMILY_NAME, as many octets with their padding: IOAM6, nobody, and
# the controller itself, whose only group is "notify".
IOAM6 = struct.pack("=HH8s", 10, 2, b"IOAM6")
OTHER = {
    "family": struct.pack("=HH8s", 10, 2, b"IOAM5"),
    "events": struct.pack("=HH8s", 11, 2, b"nlctrl"),
}


def instruction(code, if_true, if_false, value):
    return struct.pack("=HBBI", code, if_true, if_false, value)


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_char_p)]


def filter_sendto():
    """From here on the thread's sendto() calls wait; the descriptor that tells of them."""
    program = b"".join(
        [
            instruction(LOAD, 0, 0, NUMBER),
            instruction(EQUAL, 0, 1, SENDTO),
            instruction(RETURN, 0, 0, USER_NOTIF),
            instruction(RETURN, 0, 0, ALLOW),
        ]
    )
    libc = ctypes.CDLL(None, use_errno=True)
    seccomp = Filter(len(program) // 8, program)
    if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0):
        sys.exit(f"without-ioam: prctl: {os.strerror(ctypes.get_errno())}")
    listener = libc.syscall(SECCOMP, SET_MODE_FILTER, NEW_LISTENER, ctypes.byref(seccomp))
    if listener < 0:
        sys.exit(f"without-ioam: seccomp: {os.strerror(ctypes.get_errno())}")
    return listener


def alter(pid, address, length, other):
    """Has a message ask for another family than IOAM6."""
    with open(f"/proc/{pid}/mem", "r+b", buffering=0) as memory:
        memory.seek(address)
        at = memory.read(length).find(IOAM6)
        if at >= 0:
            memory.seek(address + at)
            memory.write(other)


def supervise(listener, other):
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    while True:
        for _, events in waiting.poll():
            if not events & select.POLLIN:
                return  # nobody is left with the filter
            notification = bytearray(NOTIFICATION.size)
            try:
                fcntl.ioctl(listener, RECEIVE, notification)
                number, pid, _, _, _, _, _, address, length, *_ = NOTIFICATION.unpack(notification)
                alter(pid, address, length, other)
                fcntl.ioctl(listener, SEND, ANSWER.pack(number, 0, 0, CONTINUE))
            except OSError as error:
                if error.errno not in (errno.ENOENT, errno.EINTR, errno.ESRCH):
                    raise


def start_supervisor(other):
    """In a process that is nobody's child; the socket that it wants the descriptor by."""
    ours, theirs = socket.socketpair()
    child = os.fork()
    if child == 0:
        if os.fork() == 0:
            ours.close()
            null = os.open(os.devnull, os.O_RDWR)
            for standard in range(3):
                os.dup2(null, standard)
            _, ancillary, _, _ = theirs.recvmsg(1, socket.CMSG_SPACE(4))
            if ancillary:
                supervise(array.array("i", ancillary[0][2])[0], other)
        os._exit(0)
    os.waitpid(child, 0)
    theirs.close()
    return ours


other = OTHER[sys.argv[1]]
supervisor = start_supervisor(other)
listener = filter_sendto()
supervisor.sendmsg([b"."], [(socket.SOL_SOCKET, socket.SCM_RIGHTS, array.array("i", [listener]))])
supervisor.close()
os.close(listener)
os.execvp(sys.argv[2], sys.argv[2:])
