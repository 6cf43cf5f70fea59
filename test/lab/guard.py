# Cleans up after a test process that died before it could: reads "+KIND NAME" and "-KIND NAME" a
# line, and when its standard input ends removes what was added and not taken back.
import os
import shutil
import signal
import subprocess
import sys


def kill(pid):
    try:
        os.kill(int(pid), signal.SIGKILL)
    except ProcessLookupError:
        pass


def remove_netns(name):
    """Whatever runs in the namespace was started there by the test."""
    pids = subprocess.run(["ip", "netns", "pids", name], capture_output=True, text=True).stdout
    for pid in pids.split():
        kill(pid)
    subprocess.run(["ip", "netns", "del", name], capture_output=True)


def unmount(path):
    subprocess.run(["umount", "--lazy", path], capture_output=True)


REMOVE = {
    "pid": kill,
    "netns": remove_netns,
    "mount": unmount,
    "folder": lambda path: shutil.rmtree(path, ignore_errors=True),
}

for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
    signal.signal(number, signal.SIG_IGN)
left = {}
for line in sys.stdin:
    kind, name = line[1:].rstrip("\n").split(" ", 1)
    if line[0] == "+":
        left[kind, name] = True
    else:
        left.pop((kind, name), None)
# The last first: what is mounted goes before the folder it is mounted on.
for kind, name in reversed(left):
    REMOVE[kind](name)
