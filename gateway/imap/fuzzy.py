"""FUZZY (RFC 6203): words instead of phrases, and how relevant a message that has them is.

Of a text every word must occur, in whatever order; a word with accents is also found without them. Keys without a
text are matched as they are. The more literally and the more prominently the text occurs, the more relevant it is.
"""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import replace
from typing import Final, TypeAlias
from unicodedata import combining, normalize

from gateway.imap.codec import searchkeys as k
from gateway.imap.codec.sequence import runs
from gateway.imap.connection import Selection
from gateway.mailbox import criteria as m

#: Criteria that look for a text.
_Texts: TypeAlias = "m.Header | m.Address | m.Body | m.Text"
_AROUND: Final = "\"'()[]<>.,;:!?"
#: More words than this are looked for as one phrase: each costs a look at every message.
MOST_WORDS: Final = 12


def loose(criterion: m.Criterion) -> m.Criterion:
    """What matches fuzzily where the criterion matches exactly."""
    if isinstance(criterion, m.And | m.Or):
        return replace(criterion, parts=tuple(map(loose, criterion.parts)))
    if isinstance(criterion, m.Not):
        return m.Not(loose(criterion.part))
    if isinstance(criterion, m.Header | m.Address | m.Body | m.Text):
        return _words(criterion)
    return criterion


def _words(criterion: _Texts) -> m.Criterion:
    words = [word for part in criterion.text.split() if (word := part.strip(_AROUND))]
    if not 0 < len(words) <= MOST_WORDS:
        return criterion
    found = tuple(_with_and_without_accents(criterion, word) for word in words)
    return found[0] if len(found) == 1 else m.And(found)


def _with_and_without_accents(criterion: _Texts, word: str) -> m.Criterion:
    plain = "".join(letter for letter in normalize("NFD", word) if not combining(letter))
    as_it_is = replace(criterion, text=word)
    return as_it_is if plain == word else m.Or((as_it_is, replace(criterion, text=plain)))


def is_asked(key: k.Key) -> bool:
    """Whether FUZZY occurs."""
    return any(isinstance(one, k.Fuzzy) for one in k.walk(key))


async def scores(selection: Selection, key: k.Key, uids: Sequence[int]) -> dict[int, int]:
    """How relevant each of some matches is, 1 to 100: the mean over the texts that were asked for fuzzily."""
    texts = list(_texts_of(key))
    if not texts or not uids:
        return dict.fromkeys(uids, 100)
    sums = dict.fromkeys(uids, 0)
    for text in texts:
        left = set(uids)
        for score, criterion in _levels(text):
            among = m.Uids(tuple(runs(sorted(left))))
            found = left.intersection(await selection.view.search(m.And((among, criterion)))) if left else set()
            left -= found
            for uid in found:
                sums[uid] += score
    return {uid: max(1, total // len(texts)) for uid, total in sums.items()}


def _levels(text: _Texts) -> Iterator[tuple[int, m.Criterion]]:
    """Criteria that a match may fulfil, with the score of the first one it does."""
    if isinstance(text, m.Text):
        subject = m.Header("Subject", text.text)
        yield 100, subject
        yield 80, loose(subject)
        yield 60, text
        yield 30, loose(text)
    else:
        yield 100, text
        yield 50, loose(text)


def _texts_of(key: k.Key) -> Iterator[_Texts]:
    for fuzzy in k.walk(key):
        if isinstance(fuzzy, k.Fuzzy):
            for one in k.walk(fuzzy.key):
                if isinstance(one, k.Address | k.Header | k.Body | k.Text):
                    yield text_criterion(one)


def text_criterion(key: k.Address | k.Header | k.Body | k.Text) -> _Texts:
    """The criterion of a key that looks for a text."""
    if isinstance(key, k.Address):
        if key.field is k.Field.SUBJECT:
            return m.Header("Subject", key.text)
        return m.Address(key.field.value.capitalize(), key.text)
    if isinstance(key, k.Header):
        return m.Header(key.name, key.text)
    return m.Body(key.text) if isinstance(key, k.Body) else m.Text(key.text)
