"""How the parts of a mail are put together.

One layout and for good, since clients remember part numbers::

    mixed { alternative { plain, related { html, inline images }, calendar }, attachments }

where every container that would hold a single part is left out.
"""

from __future__ import annotations

from gateway.convert.mime.tomime_body import Body
from gateway.convert.mime.tomime_parts import Boundaries, Part, multipart, text_part


def laid_out(
    body: Body, calendar: list[Part], inline: list[Part], attached: list[Part], boundaries: Boundaries
) -> Part:
    """The top part: the body's forms, what its HTML shows, a calendar form, and the other attachments."""
    forms = [text_part(body.plain, "plain")]
    if body.html is not None:
        forms.append(_related(text_part(body.html, "html"), inline, boundaries))
    forms += calendar
    top = forms[0] if len(forms) == 1 else multipart("alternative", forms, boundaries.next())
    return top if not attached else multipart("mixed", [top, *attached], boundaries.next())


def _related(root: Part, inline: list[Part], boundaries: Boundaries) -> Part:
    if not inline:
        return root
    return multipart("related", [root, *inline], boundaries.next(), ['type="text/html"'])
