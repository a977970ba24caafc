"""Other users' mailboxes: whoever is named is looked at, a large directory in portions, and nobody is forgotten."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable, Iterator

import pytest

from gateway.mailbox.account import Account
from gateway.mailbox.acquaintances import Acquaintances, opened_in, remembered_in
from gateway.mailbox.folders import Folders
from gateway.mailbox.others import Wanted, owners_of, wanted_by
from gateway.mailbox.sharers import AGE_PER_USER, KNOWN_AGE, NAMED_AGE, PORTION_AGE, Sharers
from gateway.mailbox.tree import Mailboxes
from gateway.mapi import proptags as pr
from gateway.mapi.errors import NoAccess, NotFound
from gateway.mapiclient.errors import ConnectFailed
from tests.support.accounts import Mail, running_mail

USERS = ("bob", "dan", "eva", "fay", "gil", "zoe")
ALL = wanted_by(["Other Users/*"])


@pytest.fixture(scope="module")
def mail(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Mail]:
    with running_mail(tmp_path_factory.mktemp("others"), *USERS) as running:
        yield running


@pytest.fixture(autouse=True)
def _nothing_shared_nor_remembered(mail: Mail) -> Iterator[None]:
    yield
    mail.run(lambda dan: Acquaintances(lambda: dan.store.folders.own).remember([]), "dan")
    mail.run(lambda zoe: share(zoe, "dan", None), "zoe")
    mail.run(lambda gil: share(gil, "dan", None), "gil")


async def share(account: Account, friend: str, letters: str | None) -> None:
    await account.set_access((await account.mailboxes()).get("INBOX"), friend, letters)


def folders_of(account: Account, portion: int) -> Folders:
    """The mailboxes as a gateway sees them that was just started."""
    return Folders(account.session, account.user, portion=portion)


def others(tree: Mailboxes) -> list[str]:
    return [mailbox.name for mailbox in tree if mailbox.namespace == "other"]


@pytest.mark.parametrize(
    ("patterns", "owners", "everybody"),
    [
        (["INBOX", "*", "%"], set(), False),
        (["Other Users/zoe/Inbox"], {"zoe"}, False),
        (["Other Users/zoe"], {"zoe"}, False),
        (["Other Users/zoe/*", "Other Users/bob/%"], {"zoe", "bob"}, False),
        (["other users/a=2Fb/x"], {"a/b"}, False),
        (["Other Users"], set(), True),
        (["Other Users/"], set(), True),
        (["Other Users/%"], set(), True),
        (["Other Users/z*"], set(), True),
        (["Other Users*"], set(), True),
    ],
)
def test_whose_mailboxes_are_meant(patterns: list[str], owners: set[str], everybody: bool) -> None:
    assert wanted_by(patterns) == Wanted(frozenset(owners), everybody)


def test_a_name_means_its_owner_only() -> None:
    assert owners_of("Other Users/zoe/Inbox", "INBOX", "Other Users") == Wanted(frozenset({"zoe"}))


def test_whoever_is_named_is_looked_at_however_large_the_directory(mail: Mail) -> None:
    async def work(dan: Account, zoe: Account) -> None:
        await share(zoe, "dan", "lr")
        folders = folders_of(dan, portion=1)
        assert others(await folders.tree(0, ALL)) == []
        assert others(await folders.tree(0, owners_of("Other Users/zoe/Inbox"))) == ["Other Users/zoe/Inbox"]
        # From now on she is known, also when everybody is asked anew.
        assert others(await folders.tree(0)) == ["Other Users/zoe/Inbox"]
        assert others(await folders.tree(KNOWN_AGE + 1, ALL)) == ["Other Users/zoe/Inbox"]

    mail.run(work, "dan", "zoe")


def test_a_large_directory_is_asked_portion_after_portion(mail: Mail) -> None:
    async def work(dan: Account, zoe: Account, gil: Account) -> None:
        for owner in (zoe, gil):
            await share(owner, "dan", "lr")
        folders = folders_of(dan, portion=2)  # bob and eva, fay and gil, zoe
        seen = [others(await folders.tree(time * (PORTION_AGE + 1), ALL)) for time in range(3)]
        gil_box, zoe_box = "Other Users/gil/Inbox", "Other Users/zoe/Inbox"
        assert seen == [[], [gil_box], [gil_box, zoe_box]]
        # The round is complete; the next one begins later and forgets nobody meanwhile.
        now = 2 * (PORTION_AGE + 1)
        assert others(await folders.tree(now + KNOWN_AGE - 1, ALL)) == [gil_box, zoe_box]
        assert others(await folders.tree(now + KNOWN_AGE + 1, ALL)) == [gil_box, zoe_box]

    mail.run(work, "dan", "zoe", "gil")


def test_nobody_is_asked_again_at_once_and_who_shares_no_more_is_forgotten(mail: Mail) -> None:
    async def work(dan: Account, zoe: Account) -> None:
        named = owners_of("Other Users/zoe/Inbox")
        await share(zoe, "dan", "lr")
        folders = folders_of(dan, portion=0)
        assert others(await folders.tree(0, named))
        await share(zoe, "dan", None)
        assert others(await folders.tree(NAMED_AGE, named))
        assert others(await folders.tree(NAMED_AGE + 1, named)) == []

    mail.run(work, "dan", "zoe")


def test_another_spelling_is_another_user(mail: Mail) -> None:
    async def work(dan: Account, zoe: Account) -> None:
        await share(zoe, "dan", "lr")
        folders = folders_of(dan, portion=0)
        for login in ("ZOE", "nobody", "SYSTEM", "dan", ""):
            assert others(await folders.tree(0, Wanted(frozenset({login})))) == []

    mail.run(work, "dan", "zoe")


def test_whoever_was_opened_in_the_web_client_is_looked_at_first(mail: Mail) -> None:
    opened = {"zoe": {"all": {"folder_type": "all"}}, "nobody": {"inbox": {}}, "dan": {}}
    settings = {"settings": {"zarafa": {"v1": {"contexts": {"hierarchy": {"shared_stores": opened}}}}}}

    async def work(dan: Account, zoe: Account) -> None:
        await share(zoe, "dan", "lr")
        own = dan.store.folders.own
        await own.set_props({pr.PR_EC_WEBACCESS_SETTINGS_JSON: json.dumps(settings)})
        folders = folders_of(dan, portion=1)
        assert others(await folders.tree(0, ALL)) == ["Other Users/zoe/Inbox"]
        await own.set_props({}, [pr.PR_EC_WEBACCESS_SETTINGS_JSON])

    mail.run(work, "dan", "zoe")


@pytest.mark.parametrize(
    "settings", ["", "{", "[]", '{"settings": []}', '{"settings": {"zarafa": null}}', "[" * 100_000]
)
def test_settings_of_another_form_say_nothing(settings: str) -> None:
    assert opened_in(settings) == remembered_in(settings) == []


def test_whoever_shared_something_is_found_at_once_by_the_next_gateway(mail: Mail) -> None:
    async def work(dan: Account, zoe: Account) -> None:
        zoe_box = "Other Users/zoe/Inbox"
        await share(zoe, "dan", "lr")
        before = folders_of(dan, portion=1)
        assert others(await before.tree(0, ALL)) == []
        assert others(await before.tree(0, owners_of(zoe_box))) == [zoe_box]
        assert others(await folders_of(dan, portion=1).tree(0, ALL)) == [zoe_box]
        # She is forgotten when she shares no more.
        await share(zoe, "dan", None)
        assert others(await folders_of(dan, portion=1).tree(0, ALL)) == []
        await share(zoe, "dan", "lr")
        assert others(await folders_of(dan, portion=1).tree(0, ALL)) == []

    mail.run(work, "dan", "zoe")


def test_where_everybody_is_asked_at_once_nothing_is_written(mail: Mail) -> None:
    async def work(dan: Account, zoe: Account) -> None:
        await share(zoe, "dan", "lr")
        known = Acquaintances(lambda: dan.store.folders.own)
        assert others(await folders_of(dan, portion=5).tree(0, ALL)) == ["Other Users/zoe/Inbox"]
        assert await known.remembered() == []

    mail.run(work, "dan", "zoe")


def test_subscribed_mailboxes_of_others_are_found_by_their_store(mail: Mail) -> None:
    async def work(dan: Account, zoe: Account) -> None:
        shared = "Other Users/zoe/Inbox"
        await share(zoe, "dan", "lr")
        await folders_of(dan, portion=0).subscribe(shared, 0, on=True)
        again = folders_of(dan, portion=0)
        assert shared in await again.subscriptions(0)
        await again.subscribe(shared, 0, on=False)
        assert shared not in await folders_of(dan, portion=0).subscriptions(0)

    mail.run(work, "dan", "zoe")


def test_a_subscription_survives_while_its_mailbox_cannot_be_seen(mail: Mail) -> None:
    async def work(dan: Account, zoe: Account) -> None:
        shared = "Other Users/zoe/Inbox"
        await share(zoe, "dan", "lr")
        await folders_of(dan, portion=0).subscribe(shared, 0, on=True)
        await share(zoe, "dan", None)
        meanwhile = folders_of(dan, portion=0)
        await meanwhile.subscribe("Drafts", 0, on=False)
        await meanwhile.subscribe("Drafts", 0, on=True)
        assert shared not in await meanwhile.subscriptions(0)
        await share(zoe, "dan", "lr")
        assert {shared, "Drafts"} <= await folders_of(dan, portion=0).subscriptions(0)

    mail.run(work, "dan", "zoe")


# What a server that is away, or refuses, means for what is known


def sharers_of(account: Account, look: Callable[[str], Awaitable[str | None]], portion: int) -> Sharers[str]:
    known = Acquaintances(lambda: account.store.folders.own)
    return Sharers(account.session, account.user, look, known, portion)


def test_whoever_cannot_be_reached_now_stays_known(mail: Mail) -> None:
    async def work(dan: Account) -> None:
        answers: dict[str, str | Exception | None] = {"zoe": "something", "gil": "something"}

        async def look(login: str) -> str | None:
            answer = answers.get(login)
            if isinstance(answer, Exception):
                raise answer
            return answer

        sharers = sharers_of(dan, look, 10)
        assert await sharers.ask(0)
        assert not await sharers.ask(KNOWN_AGE - 1)
        answers |= {"zoe": ConnectFailed("the server is away"), "gil": NoAccess("no more")}
        assert await sharers.ask(KNOWN_AGE + 1)
        assert dict(sharers.found) == {"zoe": "something"}
        answers["zoe"] = NotFound("the user is gone")
        assert await sharers.look_for("zoe", 0)
        assert not sharers.found

    mail.run(work, "dan")


def test_each_is_looked_at_once_in_a_round(mail: Mail) -> None:
    async def work(dan: Account) -> None:
        looked: list[str] = []

        async def look(login: str) -> str | None:
            looked.append(login)
            return None

        sharers = sharers_of(dan, look, 2)
        for time in range(4):
            await sharers.ask(time * (PORTION_AGE + 1))
        assert looked == ["bob", "eva", "fay", "gil", "zoe"]

    mail.run(work, "dan")


def test_a_large_directory_is_asked_less_often(mail: Mail) -> None:
    """What is known is looked at as often as in a small one."""
    more = [f"user{number:02}" for number in range(40)]
    for login in more:
        mail.store.add_user(login)
    everybody = sorted([*more, *USERS[:1], *USERS[2:]])
    round_age = AGE_PER_USER * len(everybody)
    assert round_age > KNOWN_AGE

    async def work(dan: Account) -> None:
        looked: list[str] = []

        async def look(login: str) -> str | None:
            looked.append(login)
            return "something" if login == "zoe" else None

        sharers = sharers_of(dan, look, 100)
        expected = {0.0: everybody, KNOWN_AGE: ["zoe"], round_age - 1: [], 2 * KNOWN_AGE: everybody}
        for time, logins in expected.items():
            looked.clear()
            await sharers.ask(time)
            assert looked == logins

    mail.run(work, "dan")
