# SPDX-License-Identifier: Apache-2.0
"""
A machine of our own for a command: a network of its own, in which every port is free, names that lead to its loopback, and
empty folders where files are expected. Nothing of it is seen outside, and nothing is left when the command ends.

    own_machine.py --name kafka --name postgres --folder /vault/secrets -- COMMAND...

Linux namespaces do it: as root, else with a user namespace, else by sudo; the command runs as whoever called. Status 77: none
of these is allowed here.
"""
import argparse
import ctypes
import fcntl
import os
import pathlib
import shutil
import socket
import struct
import subprocess
import sys
import tempfile

NOT_ALLOWED = 77
CLONE_NEWNS, CLONE_NEWUSER, CLONE_NEWNET = 0x00020000, 0x10000000, 0x40000000
MS_BIND, MS_REC, MS_PRIVATE = 0x1000, 0x4000, 0x40000
SIOCGIFFLAGS, SIOCSIFFLAGS, IFF_UP = 0x8913, 0x8914, 0x1
_libc = ctypes.CDLL(None, use_errno=True)


def _unshare(flags):
    if _libc.unshare(flags):
        raise OSError(ctypes.get_errno(), "unshare")


def _mount(source, target, kind=None, flags=0, options=None):
    def text(value):
        return None if value is None else os.fsencode(value)
    if _libc.mount(text(source), text(target), text(kind), ctypes.c_ulong(flags), text(options)):
        raise OSError(ctypes.get_errno(), f"mount {source} at {target}")


def _loopback_up():
    with socket.socket(socket.AF_INET, socket.SOCK_DGRAM) as s:
        request = struct.pack("16sH14x", b"lo", 0)
        flags = struct.unpack_from("16sH", fcntl.ioctl(s, SIOCGIFFLAGS, request))[1]
        fcntl.ioctl(s, SIOCSIFFLAGS, struct.pack("16sH14x", b"lo", flags | IFF_UP))


def _empty_folder():
    """Where the new root is put together; what is mounted there hides nothing."""
    for folder in map(pathlib.Path, ("/mnt", "/srv", "/media")):
        if folder.is_dir() and not any(folder.iterdir()):
            return folder
    return pathlib.Path(tempfile.mkdtemp(prefix="own-machine-"))


def _bind_everything(root):
    """What the machine has, seen from a root folder that is ours to add to."""
    for entry in sorted(pathlib.Path("/").iterdir()):
        here = root / entry.name
        if entry == root:
            here.mkdir()
            continue
        if entry.is_symlink():
            here.symlink_to(os.readlink(entry))
            continue
        try:
            here.mkdir() if entry.is_dir() else here.touch()
            _mount(entry, here, flags=MS_BIND | MS_REC)
        except OSError as error:  # a folder that cannot be shown is one that the command does not need
            print(f"own_machine: {entry} is left out: {error}", file=sys.stderr)


def _enter(names, folders, uid, gid):
    """From here on this process lives there."""
    flags = CLONE_NEWNS | CLONE_NEWNET
    if os.geteuid() != 0:
        _unshare(flags | CLONE_NEWUSER)
        pathlib.Path("/proc/self/setgroups").write_text("deny")
        pathlib.Path("/proc/self/uid_map").write_text(f"{uid} {uid} 1")
        pathlib.Path("/proc/self/gid_map").write_text(f"{gid} {gid} 1")
    else:
        _unshare(flags)
    _mount("none", "/", flags=MS_REC | MS_PRIVATE)
    _loopback_up()
    here = os.getcwd()
    root = _empty_folder()
    _mount("tmpfs", root, "tmpfs", options="mode=755")
    _bind_everything(root)
    hosts = root / "hosts-of-ours"
    hosts.write_text(f"127.0.0.1 localhost {socket.gethostname()} {' '.join(names)}\n")
    _mount(hosts, root / "etc/hosts", flags=MS_BIND)
    for folder in folders:
        made = root / folder.lstrip("/")
        made.mkdir(parents=True)
        os.chown(made, uid, gid)
    os.chroot(root)
    os.chdir(here)


def _main():
    parser = argparse.ArgumentParser(description=__doc__.splitlines()[1])
    parser.add_argument("--name", action="append", default=[])
    parser.add_argument("--folder", action="append", default=[])
    parser.add_argument("--as-user", type=int, nargs=2, default=(os.getuid(), os.getgid()), metavar=("UID", "GID"))
    parser.add_argument("command", nargs=argparse.REMAINDER)
    given = parser.parse_args()
    command = given.command[1:] if given.command[:1] == ["--"] else given.command
    uid, gid = given.as_user
    try:
        _enter(given.name, given.folder, uid, gid)
    except OSError as error:
        if os.geteuid() == 0 or not shutil.which("sudo"):
            print(f"own_machine: no namespaces here: {error}", file=sys.stderr)
            return NOT_ALLOWED
        sudo = ["sudo", "-n", "--preserve-env"]
        if subprocess.run([*sudo, "true"], stdin=subprocess.DEVNULL, stderr=subprocess.DEVNULL, check=False).returncode:
            print(f"own_machine: no namespaces here ({error}), and sudo asks for a password", file=sys.stderr)
            return NOT_ALLOWED
        options = [word for name in given.name for word in ("--name", name)]
        options += [word for folder in given.folder for word in ("--folder", folder)]
        os.execvp("sudo", [*sudo, sys.executable, __file__, *options, "--as-user", str(uid), str(gid), "--", *command])
    if os.geteuid() == 0 and uid != 0:
        os.initgroups(_name_of(uid), gid)
        os.setgid(gid)
        os.setuid(uid)
    os.execvp(command[0], command)


def _name_of(uid):
    import pwd
    return pwd.getpwuid(uid).pw_name


if __name__ == "__main__":
    sys.exit(_main())
