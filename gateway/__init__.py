"""Mail, calendar and contact protocols in front of a MAPI store."""

from importlib.metadata import PackageNotFoundError, version

try:
    __version__ = version("mapi-gateway")
except PackageNotFoundError:  # a source tree that was never installed
    __version__ = "0.0.0"
