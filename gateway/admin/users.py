"""``gateway-admin user``: the accounts of the embedded store.

They are changed in the database itself, in a transaction of their own: that works whether the store is running or not, needs
no administrator's password, and whoever may write the store's directory may do it anyway.
"""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Final

import click

from gateway.mapi.errors import Collision, MapiError, NotFound
from gateway.storeserver import accounts, stores
from gateway.storeserver.database import StoreDatabase
from gateway.storeserver.service import create_user

_DATABASE = "store.db"


DATA: Final = click.option(
    "--data",
    type=click.Path(path_type=Path, file_okay=False),
    default=Path("var"),
    show_default=True,
    help="Directory of the store, or of `make run`.",
)
"""The option that names the embedded store."""


@click.group()
@DATA
@click.pass_context
def user(context: click.Context, data: Path) -> None:
    """Manage the accounts of the embedded store. It may be running."""
    context.obj = data


def directory_of(data: Path) -> Path:
    """Where the database is: in the directory itself, or in the one that `make run` makes below it."""
    return data if (data / _DATABASE).exists() or not (data / "store" / _DATABASE).exists() else data / "store"


@contextmanager
def database(data: Path, *, create: bool = False) -> Iterator[StoreDatabase]:
    """The database of a directory; what the store refuses becomes a plain message."""
    directory = directory_of(data)
    if not create and not (directory / _DATABASE).exists():
        raise click.ClickException(f"there is no store in {data}; name its directory with --data")
    try:
        opened = StoreDatabase(directory)
    except OSError as error:
        raise click.ClickException(str(error)) from error
    try:
        yield opened
    except Collision as error:
        raise click.ClickException(f"there is such a user already ({error})") from error
    except NotFound as error:
        raise click.ClickException("there is no such user; `user list` shows them") from error
    except MapiError as error:
        raise click.ClickException(str(error)) from error
    finally:
        opened.close()


_PASSWORD = click.option(
    "--password", prompt=True, hide_input=True, confirmation_prompt=True, help="Better type it when asked."
)


@user.command("add")
@click.argument("name")
@_PASSWORD
@click.option("--full-name", default="", help="The name that others see.")
@click.option("--email", default="", help="The mail address.")
@click.option("--admin", is_flag=True, help="An administrator of the store, who may read everything.")
@click.pass_obj
def add(data: Path, name: str, password: str, full_name: str, email: str, *, admin: bool) -> None:
    """Create an account with an empty store."""
    _require(name, password)
    with database(data, create=True) as opened:
        create_user(opened, name, password, full_name=full_name, email=email, admin=int(admin))
    click.echo(f"{name} was created")


@user.command("passwd")
@click.argument("name")
@_PASSWORD
@click.pass_obj
def passwd(data: Path, name: str, password: str) -> None:
    """Set another password. A running gateway may believe the old one for five minutes more."""
    _require(name, password)
    with database(data) as opened, opened.write() as tx:
        account = accounts.account_named(tx, name)
        accounts.change_account(tx, accounts.SYSTEM, account, {"password": password})
    click.echo(f"{name} has a new password")


@user.command("del")
@click.argument("name")
@click.option("--purge", is_flag=True, help="Delete the mail, too; else it stays as a store without an owner.")
@click.confirmation_option(prompt="Delete this account?")
@click.pass_obj
def delete(data: Path, name: str, *, purge: bool) -> None:
    """Delete an account."""
    with database(data) as opened, opened.write() as tx:
        account = accounts.account_named(tx, name)
        own = [store for store in stores.all_stores(tx) if store.owner_id == account.id and not store.orphan]
        stores.orphan_all(tx, accounts.SYSTEM, account)
        accounts.delete_account(tx, accounts.SYSTEM, account)
        for store in own if purge else ():
            stores.remove(tx, accounts.SYSTEM, store.guid)
    click.echo(f"{name} was deleted" + ("" if purge else "; the mail stays in a store without an owner"))


@user.command("list")
@click.pass_obj
def list_users(data: Path) -> None:
    """Show the accounts."""
    with database(data) as opened, opened.read() as tx:
        found = [account for account in accounts.accounts(tx, groups=False) if account.id != accounts.SYSTEM_ID]
        for account in found:
            role = "admin" if account.admin_level else "user"
            click.echo(f"{account.name:<20} {role:<6} {account.email:<30} {account.full_name}")


def _require(name: str, password: str) -> None:
    """Refuse what no client could send."""
    if not name.strip() or any(character < " " for character in name + password):
        raise click.ClickException(
            "a name is needed, and neither it nor the password may have control characters"
        )
    if not password:
        raise click.ClickException("a password is needed")
