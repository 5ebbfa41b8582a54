"""The frame and the style of the sandbox's pages: paper, ink and one indigo, in light and dark."""

from __future__ import annotations

from html import escape

STYLE = """
:root{color-scheme:light dark;--paper:#faf9f6;--card:#fff;--ink:#1f2430;--muted:#5a6172;--line:#e4e2dc;
--control:#8a90a0;--accent:#27508f;--on:#fff;--soft:#e9eff8;--bad:#9f2a1e;--bad-soft:#fdf0ed;--bad-line:#e9b9b1;
--warn:#7a5200;--warn-soft:#fdf5e2;--ok:#1f6b4a;--ok-soft:#ebf6f0}
@media(prefers-color-scheme:dark){:root{--paper:#14171d;--card:#1c2028;--ink:#e9ebf1;--muted:#a6adbd;
--line:#2c313c;--control:#6b7283;--accent:#9dbcf5;--on:#0f1a2e;--soft:#20293a;--bad:#f4a79b;--bad-soft:#33201d;
--bad-line:#5c332c;--warn:#ecc877;--warn-soft:#2e2716;--ok:#8fd6b3;--ok-soft:#182a21}}
*{box-sizing:border-box}
body{margin:0;background:var(--paper);color:var(--ink);
font:15px/1.6 "Hiragino Sans","Noto Sans JP","Yu Gothic UI",system-ui,sans-serif}
main{max-width:1080px;margin:0 auto;padding:16px}
.narrow{max-width:480px}
h1,h2,h3{font-feature-settings:"palt";line-height:1.4;margin:0}
h1{font-size:22px}h2{font-size:17px;margin:32px 0 12px}h3{font-size:15px;overflow-wrap:anywhere}
p{margin:8px 0}
.muted,small{color:var(--muted);font-size:13px}
.strip{background:var(--warn-soft);color:var(--warn);font-size:13px;padding:8px 16px;text-align:center;font-weight:600}
.card{background:var(--card);border:1px solid var(--line);border-radius:10px;padding:16px;margin:0 0 12px}
.grid{display:grid;gap:12px;grid-template-columns:repeat(auto-fill,minmax(min(100%,330px),1fr));align-items:start}
.grid .card{margin:0}
.head{display:flex;flex-wrap:wrap;gap:8px;justify-content:space-between;align-items:flex-start}
.badge{display:inline-flex;align-items:center;gap:6px;border-radius:99px;padding:2px 10px;font-size:13px;
font-weight:600;background:var(--ok-soft);color:var(--ok)}
.badge::before{content:"";flex:none;width:8px;height:8px;border-radius:50%;background:currentColor}
.badge.bad{background:var(--bad-soft);color:var(--bad)}.badge.warn{background:var(--warn-soft);color:var(--warn)}
.badge.plain{background:var(--soft);color:var(--accent)}
button,.button{font:inherit;font-weight:600;min-height:44px;padding:8px 16px;border-radius:8px;cursor:pointer;
border:1px solid var(--control);background:var(--card);color:var(--ink);text-align:left}
button:hover{background:var(--soft)}
button.primary{background:var(--accent);border-color:var(--accent);color:var(--on)}
button.danger{color:var(--bad);border-color:var(--bad-line)}
:focus-visible{outline:3px solid var(--accent);outline-offset:2px}
.row{display:flex;flex-wrap:wrap;gap:8px;margin-top:12px}
.acts{display:grid;grid-template-columns:1fr 1fr;gap:8px;margin-top:12px}
.acts form{display:grid;margin:0}
.acts button{font-size:13px;line-height:1.4;min-height:48px;padding:4px 12px}
.acts [lang=ja]{display:block;font-weight:400}
fieldset:first-of-type{margin-top:0}
.scope{padding:8px 4px;border-bottom:1px solid var(--line);line-height:1.5}.pick,.pick small{line-height:1.5}
input[type=email],input[type=text],select{font:inherit;width:100%;min-height:44px;padding:8px 12px;border-radius:8px;
border:1px solid var(--control);background:var(--card);color:var(--ink)}
h4{font-size:13px;font-weight:600;margin:12px 0 0;overflow-wrap:anywhere}
h4+ul{margin-top:4px}time{color:var(--muted);font-variant-numeric:tabular-nums}
label{display:block}label.pick{display:flex;gap:12px;align-items:center;min-height:44px;padding:8px 4px;
border-bottom:1px solid var(--line);overflow-wrap:anywhere}
label.pick input{width:20px;height:20px;flex:none;accent-color:var(--accent)}
fieldset{border:0;padding:0;margin:16px 0}legend{font-weight:600;padding:0;margin-bottom:4px}
ul{list-style:none;margin:8px 0;padding:0;font-size:13px}li{padding:4px 0;border-top:1px solid var(--line);
overflow-wrap:anywhere}
details{margin-top:12px}summary{cursor:pointer;font-size:13px;color:var(--accent);min-height:40px;padding:8px 0}
.form{display:grid;gap:12px;max-width:480px}
code{font-size:13px;overflow-wrap:anywhere}
"""

NOTICE = "Sandbox · 練習用の環境です。本物のサービスではありません。"


def page(title: str, body: str, *, narrow: bool = False) -> str:
    """A whole page; `body` is HTML already, `title` plain text."""
    width = ' class="narrow"' if narrow else ""
    return (
        '<!doctype html><html lang="en"><head><meta charset="utf-8">'
        '<meta name="viewport" content="width=device-width, initial-scale=1">'
        f"<title>{escape(title)}</title><style>{STYLE}</style></head><body>"
        f'<div class="strip" lang="ja">{NOTICE} <span lang="en">Not the real service.</span></div>'
        f"<main{width}>{body}</main></body></html>"
    )


def both(english: str, japanese: str) -> str:
    """A label in both languages."""
    return f'{escape(english)} <span lang="ja">{escape(japanese)}</span>'
