"""Fuzz: mail from properties. Any content gives a well-formed mail that an independent parser reads the same way,
and that settles after one round through the reader."""

from __future__ import annotations

from tests.convert.mime.test_out_properties import (
    test_every_mail_is_well_formed as test_every_mail_is_well_formed,
)
from tests.convert.mime.test_out_properties import (
    test_the_same_leaves_for_an_independent_parser as test_the_same_leaves_for_an_independent_parser,
)
from tests.convert.mime.test_out_round_trips import (
    test_any_content_settles_after_one_round as test_any_content_settles_after_one_round,
)
