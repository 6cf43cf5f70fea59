"""Runs a command on a kernel that answers about TCX as those before Linux 6.6 do: EINVAL.

usage: without-tcx.py COMMAND [ARGUMENT…]

A seccomp filter refuses bpf(BPF_LINK_CREATE) and bpf(BPF_PROG_QUERY); all else is the kernel's.
"""

import ctypes
import errno
import os
import platform
import struct
import sys

BPF_SYSCALL = {"x86_64": 321, "aarch64": 280}[platform.machine()]
BPF_PROG_QUERY, BPF_LINK_CREATE = 16, 28
PR_SET_NO_NEW_PRIVS, PR_SET_SECCOMP, SECCOMP_MODE_FILTER = 38, 22, 2
ALLOW, ERRNO = 0x7FFF0000, 0x00050000
LOAD, EQUAL, RETURN = 0x20, 0x15, 0x06
NUMBER, FIRST_ARGUMENT = 0, 16  # struct seccomp_data, little-endian


def instruction(code, if_true, if_false, value):
    return struct.pack("=HBBI", code, if_true, if_false, value)


program = b"".join(
    [
        instruction(LOAD, 0, 0, NUMBER),
        instruction(EQUAL, 0, 4, BPF_SYSCALL),
        instruction(LOAD, 0, 0, FIRST_ARGUMENT),
        instruction(EQUAL, 1, 0, BPF_PROG_QUERY),
        instruction(EQUAL, 0, 1, BPF_LINK_CREATE),
        instruction(RETURN, 0, 0, ERRNO | errno.EINVAL),
        instruction(RETURN, 0, 0, ALLOW),
    ]
)


class Filter(ctypes.Structure):
    _fields_ = [("length", ctypes.c_ushort), ("program", ctypes.c_char_p)]


libc = ctypes.CDLL(None, use_errno=True)
seccomp = Filter(len(program) // 8, program)
if libc.prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) or libc.prctl(
    PR_SET_SECCOMP, SECCOMP_MODE_FILTER, ctypes.byref(seccomp), 0, 0
):
    sys.exit(f"without-tcx: prctl: {os.strerror(ctypes.get_errno())}")
os.execvp(sys.argv[1], sys.argv[1:])
