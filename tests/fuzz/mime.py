"""Random damage to mail: ``python tests/fuzz/mime.py --seconds 60 [--seed N]``.

Takes the mails of tests/data/mime, damages them, and checks every promise that is made of any bytes. Prints the
seed of the first input that breaks one, with which it can be made again.
"""

from __future__ import annotations

import argparse
import random
import sys
import time
from pathlib import Path
from typing import Final

ROOT: Final = Path(__file__).resolve().parents[2]
sys.path.insert(0, str(ROOT))

from tests.convert.mime import promises  # noqa: E402

CORPUS: Final = [file.read_bytes() for file in sorted((ROOT / "tests/data/mime").glob("*.eml"))]
PIECES: Final = [
    b"\r\n", b"\n", b"\r", b"\r\n\r\n", b" ", b"\t", b"\0", b"\xff", b"--", b'"', b"\\", b"(", b")", b"<", b">", b"@",
    b",", b";", b":", b"=", b"=?utf-8?Q?", b"=?utf-8?B?w6Q=?=", b"?=", b"; charset=utf-16", b"; charset=utf-7",
    b"; boundary=b", b"Content-Type: multipart/mixed; boundary=b\r\n", b"Content-Type: message/rfc822\r\n",
    b"Content-Transfer-Encoding: base64\r\n", b"Content-Transfer-Encoding: x-uuencode\r\n", b"From: ", b"To: ",
    b"--b\r\n", b"--b--\r\n", b"*0*=", b"*1=", b"%E4", b"cid:", b"(" * 50, b'"' * 50, b"<" * 50, b"a@b," * 50,
]  # fmt: skip
SLOWEST: Final = 2.0
"""Seconds of CPU for one input of some kilobytes; more means that time does not grow with length alone."""


def damaged(seed: int) -> bytes:
    """One of the mails with damage that the seed decides."""
    dice = random.Random(seed)
    data = bytearray(dice.choice(CORPUS))
    for _ in range(dice.randint(1, 12)):
        at = dice.randint(0, len(data))
        length = min(dice.randint(0, 40), len(data) - at)
        kind = dice.randrange(6)
        if kind == 0:
            data[at : at + length] = b""
        elif kind == 1:
            data[at:at] = dice.choice(PIECES)
        elif kind == 2:
            data[at:at] = data[at : at + length] * dice.randint(1, 5)
        elif kind == 3:
            data[at : at + length] = dice.randbytes(length)
        elif kind == 4:
            other = dice.choice(CORPUS)
            begin = dice.randint(0, len(other))
            data[at:at] = other[begin : begin + dice.randint(0, 400)]
        else:
            old, new = dice.choice([(b"\r\n", b"\n"), (b"\n", b"\r\n"), (b"\r\n", b"\r"), (b"b", b"B")])
            data = data.replace(old, new)
    return bytes(data)


def main() -> int:
    """Damage mails until the time is over."""
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("--seconds", type=float, default=60.0)
    parser.add_argument("--seed", type=int, default=0, help="the first seed; the next inputs count up from it")
    arguments = parser.parse_args()
    seed, end = arguments.seed, time.monotonic() + arguments.seconds
    while time.monotonic() < end:
        began = time.process_time()
        try:
            promises.check(damaged(seed))
        except BaseException:
            print(f"seed {seed} breaks a promise; again with --seed {seed} --seconds 1", file=sys.stderr)
            raise
        if time.process_time() - began > SLOWEST:
            print(f"seed {seed} takes {time.process_time() - began:.1f} s", file=sys.stderr)
            return 1
        seed += 1
    print(f"{seed - arguments.seed} inputs, no promise broken")
    return 0


if __name__ == "__main__":
    sys.exit(main())
