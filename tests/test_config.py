"""The configuration: what a file may say, and what an administrator is told when it says something else."""

from __future__ import annotations

import tomllib
from pathlib import Path

import msgspec
import pytest

from gateway import units
from gateway.config import Config, ConfigError, load, parse
from gateway.units import Duration, Size

ETC = Path(__file__).parent.parent / "etc"
FILE = Path("/somewhere/gateway.toml")


def test_an_empty_file_is_the_defaults() -> None:
    assert parse("", FILE) == Config()


def test_the_example_file_shows_every_option_with_its_default_and_a_comment() -> None:
    text = (ETC / "gateway.toml").read_text()
    written = tomllib.loads(text)
    known = {
        section.name: {field.name for field in msgspec.structs.fields(section.type)}
        for section in msgspec.structs.fields(Config)
    }
    assert {name: set(section) for name, section in written.items()} == known
    assert parse(text, FILE) == Config()
    options = [line for line in text.splitlines() if line and not line.startswith(("#", "["))]
    assert [line for line in options if not line.partition("  # ")[2]] == []
    assert len(options) == sum(map(len, known.values()))


PROBLEMS = [
    ("[imap]\nlistn = []", "[imap] has no option listn"),
    ("[imp]", "there is no section [imp]"),
    ("[imap]\nlisten = 143", "[imap] listen: expected `array`, got `int`"),
    ("imap = 1", "[imap]: expected a table, got `int`"),
    ("[pop3]\nkeep = '3 weeks'", "[pop3] keep: '3 weeks' is no length of time"),
    ("[imap]\nmax_message = 'big'", "[imap] max_message: 'big' is no size"),
    ("[log]\nlevel = 'loud'", "[log] level: invalid enum value 'loud'"),
    ("[pop3]\nlisten = []\ntls_listen = []", "[pop3] is enabled but listens nowhere"),
    ("[tls]\nkey = 'key.pem'", "[tls] key is given but no certificate"),
    ("[limits]\nconnections = 0", "[limits] connections must be at least 1"),
    ("[limits]\nproxy_from = ['10.0.0.1/24', '10.0.0.0/40']", "[limits] proxy_from: '10.0.0.0/40'"),
    ("[imap]\nlisten = ['mail.example.com:143']", '[imap] listen: "mail.example.com:143"'),
    ("[store]\nurl = 'ftp://host'", "[store] url: "),
    ("[lmtp]\nenabled = true", "[lmtp] is enabled, but no store trusts the gateway"),
    ("[store]\nembedded = true\n[dav]\nscheduling = true", "[dav] scheduling is true, but nobody sends"),
    (
        "[store]\ntrusted_url = 'http://host:236/'",
        "[store] trusted_url: http://host:236/: no store trusts plain http",
    ),
    (
        "[submission]\nsmarthost = 'mail.example.com'",
        '[submission] smarthost: "mail.example.com" is no host:port',
    ),
    ("[imap]\nlisten = x", "(at line 2, column 10)"),
]


@pytest.mark.parametrize(("text", "problem"), PROBLEMS)
def test_a_mistake_names_the_file_and_the_key(text: str, problem: str) -> None:
    with pytest.raises(ConfigError) as caught:
        parse(text, FILE)
    assert str(caught.value).startswith(f"{FILE}: ")
    assert problem in str(caught.value)


def test_every_problem_is_told_at_once() -> None:
    with pytest.raises(ConfigError) as caught:
        parse("[limits]\nconnections = 0\n[tls]\nkey = 'k'", FILE)
    assert len(str(caught.value).splitlines()) == 2


def test_paths_are_meant_from_the_files_directory() -> None:
    config = parse(
        "[tls]\ncertificate = 'tls/c.pem'\n[embedded]\ndata = '/abs'\n[gateway]\ncache = 'cache'", FILE
    )
    assert config.tls.certificate == "/somewhere/tls/c.pem"
    assert config.tls.key == ""
    assert config.embedded.data == "/abs"
    assert config.gateway.cache == "/somewhere/cache"


def test_a_file_that_cannot_be_read(tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="No such file"):
        load(tmp_path / "missing.toml")
    (tmp_path / "latin.toml").write_bytes(b"# gr\xfc\xdfe")
    with pytest.raises(ConfigError, match="not UTF-8"):
        load(tmp_path / "latin.toml")


DURATIONS = [(30, 30), (0.5, 0.5), ("500ms", 0.5), ("30s", 30), ("10m", 600), ("1.5h", 5400), ("7 d", 604800)]


@pytest.mark.parametrize(("text", "seconds"), DURATIONS)
def test_durations(text: object, seconds: float) -> None:
    assert Duration.parse(text) == pytest.approx(seconds)


SIZES = [(512, 512), ("64k", 65536), ("64KB", 65536), ("25MB", 25 << 20), ("1.5GiB", 3 << 29), ("7b", 7)]


@pytest.mark.parametrize(("text", "size"), SIZES)
def test_sizes(text: object, size: int) -> None:
    assert Size.parse(text) == size


@pytest.mark.parametrize("text", ["", "x", "-1s", "10 parsecs", True, -1, None, [], "1kb2", "10kib!"])
def test_what_is_neither_time_nor_size(text: object) -> None:
    for kind in (Duration, Size):
        with pytest.raises(ValueError, match="is no"):
            kind.parse(text)


def test_types_of_others_are_not_guessed() -> None:
    with pytest.raises(NotImplementedError):
        units.decode(complex, "1")
