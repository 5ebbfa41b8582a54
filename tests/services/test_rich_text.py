"""Descriptions: a little form is kept, everything that could run, load or mislead is not."""

from __future__ import annotations

import pytest

from awase.services.rich_text import clean, plain


@pytest.mark.parametrize(
    ("given", "kept"),
    [
        ("", ""),
        ("<p><br></p>", ""),
        ("Plain\nlines\n\nand <more> & more", "<p>Plain<br>lines</p>\n\n<p>and &lt;more&gt; &amp; more</p>"),
        ("<p>Bring <b>both</b></p><ul><li>A</li></ul>", "<p>Bring <b>both</b></p><ul><li>A</li></ul>"),
        ("<p>One</p><p><ul><li>A</li></ul></p>", "<p>One</p><ul><li>A</li></ul>"),
        ('<p onclick="x()" style="color:red">Hi</p>', "<p>Hi</p>"),
        ("<p>Hi<script>alert(1)</script></p>", "<p>Hi</p>"),
        ('<p><img src="https://track.example/x.png">Hi</p>', "<p>Hi</p>"),
        ('<p><a href="javascript:alert(1)">Hi</a></p>', '<p><a rel="noopener nofollow">Hi</a></p>'),
        (
            '<p><a href="https://a.example/?b=1" target="x">Hi</a></p>',
            '<p><a href="https://a.example/?b=1" rel="noopener nofollow">Hi</a></p>',
        ),
    ],
)
def test_what_is_kept_of_a_description(given: str, kept: str) -> None:
    assert clean(given) == kept
    assert clean(kept) == kept


def test_the_words_alone_stand_in_one_line() -> None:
    assert plain("<p>One<br>two</p><ul><li>three</li></ul>") == "One two three"
