"""How long a test waits for what must come."""

from __future__ import annotations

from typing import Final

#: Seconds. Long, because the machines are busy: whoever passes waits for no longer than it takes.
PATIENCE: Final = 120.0
