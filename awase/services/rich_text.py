"""Text with a little form – paragraphs, bold, lists, links – as hosts write it and guests read it: HTML, of which
nothing is kept that could run, load or lead elsewhere unseen."""

import re

import nh3
from django.utils.html import linebreaks, strip_tags

TAGS = {"p", "br", "strong", "b", "ul", "ol", "li", "a"}
SCHEMES = {"http", "https", "mailto", "tel"}
_MARKED_UP = re.compile(rf"</?({'|'.join(sorted(TAGS))})\b[^<>]*>", re.IGNORECASE)

_EMPTY = re.compile(r"<p>\s*</p>")


def clean(text: str) -> str:
    """The text as it may be shown: HTML of a few tags; plain text becomes paragraphs, and what says nothing ""."""
    if not _MARKED_UP.search(text):
        text = linebreaks(text, autoescape=True)
    kept = nh3.clean(text, tags=TAGS, attributes={"a": {"href"}}, url_schemes=SCHEMES, link_rel="noopener nofollow")
    return _EMPTY.sub("", kept).strip() if plain(kept) else ""


def plain(html: str) -> str:
    """The words alone, in one line."""
    return " ".join(strip_tags(html.replace("<", " <")).replace("&nbsp;", " ").split())
