"""Language tags (RFC 5646) as Windows locale ids (MS-LCID 2.2), for PR_MESSAGE_LOCALE_ID."""

from __future__ import annotations

import re
from typing import Final

_TAG: Final = re.compile(r"\s*([A-Za-z]{2,3})(?:[-_]([A-Za-z]{2}))?(?![A-Za-z])")
_REGIONS: Final[dict[str, int]] = {
    "ar-eg": 0x0C01, "ar-sa": 0x0401, "bg-bg": 0x0402, "ca-es": 0x0403, "cs-cz": 0x0405, "da-dk": 0x0406,
    "de-at": 0x0C07, "de-ch": 0x0807, "de-de": 0x0407, "de-li": 0x1407, "de-lu": 0x1007, "el-gr": 0x0408,
    "en-au": 0x0C09, "en-ca": 0x1009, "en-gb": 0x0809, "en-ie": 0x1809, "en-in": 0x4009, "en-nz": 0x1409,
    "en-us": 0x0409, "en-za": 0x1C09, "es-ar": 0x2C0A, "es-es": 0x0C0A, "es-mx": 0x080A, "et-ee": 0x0425,
    "eu-es": 0x042D, "fi-fi": 0x040B, "fr-be": 0x080C, "fr-ca": 0x0C0C, "fr-ch": 0x100C, "fr-fr": 0x040C,
    "fr-lu": 0x140C, "gl-es": 0x0456, "he-il": 0x040D, "hi-in": 0x0439, "hr-hr": 0x041A, "hu-hu": 0x040E,
    "id-id": 0x0421, "is-is": 0x040F, "it-ch": 0x0810, "it-it": 0x0410, "ja-jp": 0x0411, "ko-kr": 0x0412,
    "lt-lt": 0x0427, "lv-lv": 0x0426, "ms-my": 0x043E, "nb-no": 0x0414, "nl-be": 0x0813, "nl-nl": 0x0413,
    "nn-no": 0x0814, "pl-pl": 0x0415, "pt-br": 0x0416, "pt-pt": 0x0816, "ro-ro": 0x0418, "ru-ru": 0x0419,
    "sk-sk": 0x041B, "sl-si": 0x0424, "sv-fi": 0x081D, "sv-se": 0x041D, "th-th": 0x041E, "tr-tr": 0x041F,
    "uk-ua": 0x0422, "vi-vn": 0x042A, "zh-cn": 0x0804, "zh-hk": 0x0C04, "zh-sg": 0x1004, "zh-tw": 0x0404,
}  # fmt: skip
_PRIMARY: Final = 0x3FF
_LANGUAGES: Final = {tag[:2]: lcid & _PRIMARY for tag, lcid in _REGIONS.items()} | {"no": 0x14, "iw": 0x0D}


def locale_id(tags: str) -> int | None:
    """The locale id of the first language tag, of its language alone when the region is not known."""
    match = _TAG.match(tags)
    if match is None:
        return None
    language, region = match[1].lower(), (match[2] or "").lower()
    return _REGIONS.get(f"{language}-{region}") or _LANGUAGES.get(language)
