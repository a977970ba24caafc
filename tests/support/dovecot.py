"""Dovecot as it comes, from a configuration of its own, for comparisons: Debian's package ``dovecot-imapd`` (2.3).

It runs without root, on a port of the loopback that the system chose, in a directory of the caller's.
"""

from __future__ import annotations

import os
import pwd
import shutil
import socket
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from tests.support.gateway import run_program, until
from tests.support.patience import PATIENCE

#: Everything runs as one user that may not be root: Dovecot refuses mail of root.
DOVECOT = """\
protocols = imap
base_dir = {base}/run
state_dir = {base}/state
log_path = {base}/dovecot.log
ssl = no
disable_plaintext_auth = no
default_internal_user = {user}
default_internal_group = {group}
default_login_user = {user}
first_valid_uid = 1
mail_location = maildir:{mails}
mail_max_userip_connections = 1000
namespace inbox {{
  inbox = yes
}}
passdb {{
  driver = static
  args = password={password}
}}
userdb {{
  driver = static
  args = uid={uid} gid={gid} home={base}
}}
service imap-login {{
  chroot =
  inet_listener imap {{
    address = 127.0.0.1
    port = {port}
  }}
  inet_listener imaps {{
    port = 0
  }}
}}
service anvil {{
  chroot =
}}
service stats {{
  chroot =
}}
"""


def dovecot_program() -> str | None:
    """Where Dovecot is, if it is installed."""
    return shutil.which("dovecot", path=os.defpath + ":/usr/sbin")


@contextmanager
def running_dovecot(base: Path, password: str) -> Iterator[tuple[tuple[str, int], int]]:
    """Its address and process id while it runs; every user has the same password, and they share one mailbox."""
    program = dovecot_program()
    assert program is not None
    (base / "mails").mkdir(parents=True, exist_ok=True)
    owner = pwd.getpwnam("nobody") if os.geteuid() == 0 else pwd.getpwuid(os.geteuid())
    group = subprocess.run(["id", "-gn", owner.pw_name], capture_output=True, text=True, check=True).stdout
    with socket.socket() as free:
        free.bind(("127.0.0.1", 0))
        address = free.getsockname()
    names = {"user": owner.pw_name, "group": group.strip(), "uid": owner.pw_uid, "gid": owner.pw_gid}
    config = base / "dovecot.conf"
    config.write_text(
        DOVECOT.format(base=base, mails=base / "mails", port=address[1], password=password, **names)
    )
    who = {"user": owner.pw_uid, "group": owner.pw_gid, "extra_groups": []} if os.geteuid() == 0 else {}
    if who:
        run_program("chown", "-R", f"{owner.pw_uid}:{owner.pw_gid}", str(base))
        _open_way(base)
    process = subprocess.Popen([program, "-F", "-c", str(config)], **who)
    try:
        until(lambda: True if _answers(address) else None)
        yield address, process.pid
    finally:
        process.terminate()
        process.wait(PATIENCE)


def _open_way(directory: Path) -> None:
    """Let another user into directories that tempfile made for us alone."""
    for parent in (directory, *directory.parents):
        if parent.stat().st_uid == os.geteuid() and not parent.stat().st_mode & 1:
            parent.chmod(parent.stat().st_mode | 0o011)


def _answers(address: tuple[str, int]) -> bool:
    """Whether somebody listens."""
    try:
        socket.create_connection(address, 5).close()
    except OSError:
        return False
    return True
