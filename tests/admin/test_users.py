"""gateway-admin user: accounts of a store that is not running, and of one that is."""

from __future__ import annotations

from pathlib import Path

import pytest
from click.testing import CliRunner, Result

from gateway.admin import main
from tests.support.store import running_store


def admin(data: Path, *arguments: str, typed: str = "") -> Result:
    return CliRunner().invoke(main, ["user", "--data", str(data), *arguments], input=typed)


def test_an_account_is_made_changed_and_deleted(tmp_path: Path) -> None:
    made = admin(
        tmp_path, "add", "alice", "--full-name", "Alice A.", "--email", "a@example.com", typed="pw\npw\n"
    )
    assert (made.exit_code, made.output.splitlines()[-1]) == (0, "alice was created")
    assert "pw" not in made.output
    listed = admin(tmp_path, "list").output.split()
    assert listed == ["alice", "user", "a@example.com", "Alice", "A."]
    with running_store(tmp_path) as store:
        store.client("alice", "pw").close()
        changed = admin(tmp_path, "passwd", "alice", "--password", "new")
        assert changed.output == "alice has a new password\n"
        store.client("alice", "new").close()
        with store.client() as client:
            assert client.logon("alice", "pw").er != 0
        added = admin(tmp_path, "add", "root", "--admin", "--password", "root")
        assert added.exit_code == 0, added.output
        store.client("root").close()
    gone = admin(tmp_path, "del", "alice", typed="y\n")
    assert "alice was deleted; the mail stays in a store without an owner" in gone.output
    assert admin(tmp_path, "del", "root", "--purge", "--yes").output == "root was deleted\n"
    assert admin(tmp_path, "list").output == ""


def test_what_cannot_be_done_is_said(tmp_path: Path) -> None:
    nothing = admin(tmp_path, "list")
    assert (nothing.exit_code, "there is no store in" in nothing.output) == (1, True)
    admin(tmp_path, "add", "alice", "--password", "pw")
    for arguments, problem in [
        (("add", "ALICE", "--password", "pw"), "there is such a user already"),
        (("add", "", "--password", "pw"), "a name is needed"),
        (("add", "bob", "--password", "a\nb"), "control characters"),
        (("passwd", "bob", "--password", "pw"), "there is no such user"),
        (("del", "bob", "--yes"), "there is no such user"),
    ]:
        refused = admin(tmp_path, *arguments)
        assert refused.exit_code == 1
        assert problem in refused.output


def test_the_directory_of_make_run_will_do(tmp_path: Path) -> None:
    admin(tmp_path / "store", "add", "alice", "--password", "pw")
    assert admin(tmp_path, "list").output.startswith("alice ")


@pytest.mark.parametrize("arguments", [["--help"], ["user", "--help"], ["check", "--help"], ["demo", "--help"]])
def test_help(arguments: list[str]) -> None:
    shown = CliRunner().invoke(main, arguments)
    assert shown.exit_code == 0
    assert "Usage:" in shown.output
