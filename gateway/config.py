"""The configuration file: TOML in, one typed `Config` out; a mistake is an error that names the key and the file.

Nothing else configures the gateway: no environment variable, no second file. Relative paths are meant from the
directory of the configuration file. A protocol's section is its head's own options plus where it listens.
"""

from __future__ import annotations

import ipaddress
import tomllib
from collections.abc import Callable, Iterator
from pathlib import Path
from typing import Literal

import msgspec

from gateway import units
from gateway.dav.options import Options as DavOptions
from gateway.dav.options import is_zone
from gateway.imap.options import Options as ImapOptions
from gateway.listen import addresses
from gateway.lmtp.options import Options as LmtpOptions
from gateway.mapiclient.address import parse_server
from gateway.pop3.options import Options as Pop3Options
from gateway.storeserver.options import Options as StoreOptions
from gateway.submission.options import Options as SubmissionOptions
from gateway.units import Duration, Size

Level = Literal["debug", "info", "warn", "error", "critical"]


class ConfigError(ValueError):
    """The configuration cannot be used; the text says which file, which key and why."""


class Section(msgspec.Struct, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """What every section of the file has in common: unknown keys are refused."""


class Gateway(Section, frozen=True, kw_only=True):
    """The process as a whole."""

    hostname: str = ""
    """The name in greetings ("" = the machine's own)."""
    cache: str = "/var/cache/mapi-gateway"
    """Directory of the UID cache; may be deleted while the gateway is stopped."""
    state: str = "/var/lib/mapi-gateway/state"
    """Directory of what delivery and sending must remember: keep it."""


class Store(Section, frozen=True, kw_only=True):
    """The store server that the gateway asks, and the one it can bring along itself."""

    url: str = "http://127.0.0.1:236/"
    """Where the store listens: http://host:port/, https://host:port/ or unix:/path/to/socket."""
    ca_file: str = ""
    """PEM file of the authorities that may sign the store's certificate ("" = the system's)."""
    pinned: tuple[str, ...] = ()
    """SHA-256 fingerprints (hex) of store certificates that are accepted whoever signed them."""
    connections: int = 10
    """Connections to one store server."""
    connect_timeout: Duration = Duration(10)
    """How long to wait for a connection."""
    queue_timeout: Duration = Duration(30)
    """How long a call may wait for a free connection."""
    call_timeout: Duration = Duration(60)
    """How long an ordinary call may take."""
    bulk_timeout: Duration = Duration(600)
    """How long a call that moves many or large messages may take."""
    keep_alive: Duration = Duration(4)
    """How long an idle connection is used again; less than the store's own timeout (5 s in Kopano)."""
    compression: bool = False
    """Ask the store for compressed replies; for slow networks."""
    max_reply: Size = Size(1 << 30)
    """Largest reply that is taken from the store."""
    session_idle: Duration = Duration(60)
    """How long an unused session stays logged on."""
    proof_lifetime: Duration = Duration(300)
    """How long a proven password is believed before the store is asked again."""
    trusted_url: str = ""
    """Where the store lets the gateway act for its users without passwords, for delivery and sending ("" = nowhere)."""
    client_certificate: str = ""
    """PEM file of the certificate that the store trusts there, when it is https ("" = none)."""
    client_key: str = ""
    """PEM file of its key ("" = it is in the certificate's file)."""
    embedded: bool = False
    """Run the store server of section [embedded] in this process, and ask it instead of url."""


class Embedded(StoreOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """The embedded store, when [store] embedded is true."""


class Imap(ImapOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """IMAP4rev1 and IMAP4rev2."""

    enabled: bool = True
    """Whether the protocol is served."""
    listen: tuple[str, ...] = ("127.0.0.1:1143",)
    """Where plain connections (and STARTTLS) are taken."""
    tls_listen: tuple[str, ...] = ("127.0.0.1:1993",)
    """Where connections begin with TLS."""


class Pop3(Pop3Options, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """POP3."""

    enabled: bool = True
    """Whether the protocol is served."""
    listen: tuple[str, ...] = ("127.0.0.1:1110",)
    """Where plain connections (and STLS) are taken."""
    tls_listen: tuple[str, ...] = ("127.0.0.1:1995",)
    """Where connections begin with TLS."""


class Dav(DavOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """CalDAV and CardDAV."""

    enabled: bool = True
    """Whether the protocol is served."""
    listen: tuple[str, ...] = ("127.0.0.1:5232",)
    """Where HTTP is spoken."""
    tls_listen: tuple[str, ...] = ("127.0.0.1:5233",)
    """Where HTTPS is spoken."""


class Lmtp(LmtpOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Delivery from a mail server (LMTP)."""

    enabled: bool = False
    """Whether mail is taken; needs a store that trusts the gateway ([store] trusted_url, or an embedded one)."""
    listen: tuple[str, ...] = ("127.0.0.1:1024",)
    """Where LMTP is spoken."""
    tls_listen: tuple[str, ...] = ()
    """Where connections begin with TLS."""


class Submission(SubmissionOptions, frozen=True, kw_only=True, forbid_unknown_fields=True):
    """Sending: SMTP for users, and the store's outgoing queue."""

    enabled: bool = False
    """Whether mail is sent."""
    listen: tuple[str, ...] = ("127.0.0.1:1587",)
    """Where plain connections (and STARTTLS) are taken."""
    tls_listen: tuple[str, ...] = ("127.0.0.1:1465",)
    """Where connections begin with TLS."""


class Tls(Section, frozen=True, kw_only=True):
    """The gateway's certificates; they are read again on SIGHUP."""

    certificate: str = ""
    """PEM file with the certificate and its chain; without one there is no TLS."""
    key: str = ""
    """PEM file with the private key ("" = it is in the certificate's file)."""
    directory: str = ""
    """Directory of more PEM files (key and chain), chosen by the name a client asks for ("" = none)."""
    self_signed: bool = False
    """Make the certificate when its file is missing; for trying things out."""
    minimum: Literal["1.2", "1.3"] = "1.2"
    """Oldest TLS version that is spoken."""
    ciphers: str = ""
    """OpenSSL cipher list for TLS 1.2 ("" = a modern one)."""


class Limits(Section, frozen=True, kw_only=True):
    """What one client, and all together, may take."""

    connections: int = 20_000
    """Client connections of all protocols together."""
    connections_per_address: int = 200
    """Client connections from one address (a provider's or company's NAT is one address)."""
    proxy_timeout: Duration = Duration(10)
    """How long a PROXY header may take."""
    proxy_from: tuple[str, ...] = ()
    """Networks whose connections must begin with a PROXY header (v1 or v2), e.g. "10.0.0.0/24"."""
    wrong_password_delay: Duration = Duration(0.5)
    """How long the answer to a wrong password waits; it doubles with each one."""
    wrong_password_longest: Duration = Duration(15)
    """The longest that it waits."""


class Log(Section, frozen=True, kw_only=True):
    """What is written down; passwords and mail never are."""

    level: Level = "info"
    """Least important level that is written."""
    levels: dict[str, Level] = {}
    """Other levels for parts, e.g. { "gateway.imap" = "debug" }."""
    format: Literal["text", "json"] = "text"
    """Lines for people, or one JSON object a line."""
    file: str = ""
    """File that is appended to and reopened on SIGHUP ("" = standard error)."""


class Config(Section, frozen=True, kw_only=True):
    """The whole file, one field per ``[section]``."""

    gateway: Gateway = Gateway()
    store: Store = Store()
    embedded: Embedded = Embedded()
    imap: Imap = Imap()
    pop3: Pop3 = Pop3()
    dav: Dav = Dav()
    lmtp: Lmtp = Lmtp()
    submission: Submission = Submission()
    tls: Tls = Tls()
    limits: Limits = Limits()
    log: Log = Log()


PATHS = {
    "gateway": ("cache", "state"),
    "store": ("ca_file", "client_certificate", "client_key"),
    "dav": ("push_ca_file",),
    "embedded": ("data",),
    "tls": ("certificate", "key", "directory"),
    "log": ("file",),
}
"""The keys that are paths, by section."""


def load(path: Path) -> Config:
    """Read a configuration file; raise ConfigError when it cannot be used."""
    try:
        text = path.read_text("utf-8")
    except OSError as error:
        raise ConfigError(f"{path}: {error.strerror}") from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{path}: not UTF-8 (byte {error.start})") from error
    return parse(text, path)


def parse(text: str, path: Path) -> Config:
    """Read the text of a configuration file that is (or would be) at `path`."""
    try:
        config = msgspec.convert(tomllib.loads(text), Config, dec_hook=units.decode)
    except tomllib.TOMLDecodeError as error:
        raise ConfigError(f"{path}: {error}") from error
    except msgspec.ValidationError as error:
        raise ConfigError(f"{path}: {_readable(str(error))}") from error
    problems = [f"{path}: {problem}" for problem in check(config)]
    if problems:
        raise ConfigError("\n".join(problems))
    return _absolute(config, path.parent)


def check(config: Config) -> Iterator[str]:
    """What types cannot say: each problem as a sentence that begins with the key."""
    if config.tls.key and not config.tls.certificate:
        yield "[tls] key is given but no certificate"
    for name in ("imap", "pop3", "dav", "lmtp", "submission"):
        section = getattr(config, name)
        if section.enabled and not (section.listen or section.tls_listen):
            yield f"[{name}] is enabled but listens nowhere; give listen or tls_listen, or enabled = false"
        yield from _problems(f"[{name}] listen", addresses, section.listen)
        yield from _problems(f"[{name}] tls_listen", addresses, section.tls_listen)
    if config.dav.timezone and not is_zone(config.dav.timezone):
        yield f'[dav] timezone: there is no time zone {config.dav.timezone!r}; write e.g. "Europe/Berlin"'
    queued = config.submission.enabled and config.submission.queue
    if config.dav.scheduling is True and config.store.embedded and not queued:
        yield "[dav] scheduling is true, but nobody sends for the embedded store; enable [submission] and its queue"
    yield from _problems("[embedded] listen", addresses, config.embedded.listen)
    yield from _problems("[store] url", parse_server, (config.store.url,))
    if config.store.trusted_url:
        yield from _problems("[store] trusted_url", _trusted, (config.store.trusted_url,))
    elif config.lmtp.enabled and not config.store.embedded:
        yield "[lmtp] is enabled, but no store trusts the gateway; give [store] trusted_url, e.g. unix:/run/kopano/server.sock"
    yield from _problems("[lmtp] clients", _network, config.lmtp.clients)
    yield from _problems("[submission] smarthost", _place, (config.submission.smarthost,))
    yield from _problems("[limits] proxy_from", _network, config.limits.proxy_from)
    for place in ("store.connections", "limits.connections", "limits.connections_per_address"):
        name, key = place.split(".")
        if getattr(getattr(config, name), key) < 1:
            yield f"[{name}] {key} must be at least 1"


def _problems(key: str, read: Callable[[str], object], texts: tuple[str, ...]) -> Iterator[str]:
    """What is wrong with texts that `read` does not take."""
    for text in texts:
        try:
            read(text)
        except ValueError as error:
            yield f"{key}: {error}"


def _network(text: str) -> object:
    """A network or an address."""
    return ipaddress.ip_network(text, strict=False)


def _trusted(text: str) -> object:
    """A store address at which trust is possible."""
    server = parse_server(text)
    if server.scheme == "http":
        raise ValueError(
            f"{text}: no store trusts plain http; write unix:/path, or https:// with client_certificate"
        )
    return server


def _place(text: str) -> object:
    """Host and port."""
    host, _, port = text.rpartition(":")
    if not host or not port.isdecimal() or not 0 < int(port) < 65536:
        raise ValueError(f'"{text}" is no host:port')
    return host


def _readable(message: str) -> str:
    """Turn "Object contains unknown field `x` - at `$.imap`" into "[imap] has no option x"."""
    what, _, where = message.partition(" - at `$")
    section, _, key = where.rstrip("`").lstrip(".").partition(".")
    if "unknown field" in what:
        name = what.split("`")[1]
        return f"[{section}] has no option {name}" if section else f"there is no section [{name}]"
    place = f"[{section}] {key}".strip() if section else "the file"
    return f"{place}: {what[:1].lower()}{what[1:]}".replace("`object`", "a table")


def _absolute(config: Config, base: Path) -> Config:
    """The same configuration with every path made absolute."""
    sections = {
        name: msgspec.structs.replace(
            section, **{key: str((base / value).absolute()) for key in keys if (value := getattr(section, key))}
        )
        for name, keys in PATHS.items()
        for section in (getattr(config, name),)
    }
    return msgspec.structs.replace(config, **sections)
