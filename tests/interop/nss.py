"""Puts a password where Thunderbird remembers passwords: ``logins.json``, encrypted by NSS with the profile's key.

A program of its own, because the linker has to find Thunderbird's own NSS, if it brings one, from the start:
``LD_LIBRARY_PATH=/usr/lib/thunderbird python nss.py PROFILE ORIGIN USER PASSWORD``.
"""

from __future__ import annotations

import base64
import ctypes
import json
import os
import sys
from pathlib import Path

from tests.support.gateway import run_program


def save_password(profile: Path, origin: str, user: str, password: str) -> None:
    """Save it, in a process that uses the libraries of Thunderbird."""
    paths = {"LD_LIBRARY_PATH": "/usr/lib/thunderbird", "PYTHONPATH": os.pathsep.join(sys.path)}
    run_program(sys.executable, __file__, str(profile), origin, user, password, env={**os.environ, **paths})


class _Item(ctypes.Structure):
    """SECItem."""

    _fields_ = [("type", ctypes.c_uint), ("data", ctypes.c_void_p), ("length", ctypes.c_uint)]


class _Keys:
    """The key database of a profile, which has no master password."""

    def __init__(self, profile: str) -> None:
        self._nss = nss = ctypes.CDLL("libnss3.so")
        assert nss.NSS_Initialize(f"sql:{profile}".encode(), b"", b"", b"secmod.db", 0) == 0
        nss.PK11_GetInternalKeySlot.restype = ctypes.c_void_p
        slot = ctypes.c_void_p(nss.PK11_GetInternalKeySlot())
        if nss.PK11_NeedUserInit(slot):
            assert nss.PK11_InitPin(slot, b"", b"") == 0
        nss.PK11_FreeSlot(slot)

    def encrypted(self, text: str) -> str:
        octets = ctypes.create_string_buffer(text.encode())
        data = _Item(0, ctypes.cast(octets, ctypes.c_void_p), len(octets) - 1)
        key, result = _Item(), _Item()
        assert self._nss.PK11SDR_Encrypt(*map(ctypes.byref, (key, data, result)), None) == 0
        return base64.b64encode(ctypes.string_at(result.data, result.length)).decode()


def _main(profile: str, origin: str, user: str, password: str) -> None:
    keys = _Keys(profile)
    login = {
        "id": 1,
        "hostname": origin,
        "httpRealm": origin,
        "formSubmitURL": None,
        "usernameField": "",
        "passwordField": "",
        "encryptedUsername": keys.encrypted(user),
        "encryptedPassword": keys.encrypted(password),
        "guid": "{00000000-0000-4000-8000-000000000001}",
        "encType": 1,
        "timeCreated": 1,
        "timeLastUsed": 1,
        "timePasswordChanged": 1,
        "timesUsed": 1,
    }
    content = json.dumps({"nextId": 2, "logins": [login], "version": 3})
    (Path(profile) / "logins.json").write_text(content)


if __name__ == "__main__":
    _main(*sys.argv[1:])
