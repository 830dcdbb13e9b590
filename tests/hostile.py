"""A notebook that tries to get something into a report that the report did not mean to show."""

from tests.files import Document, code, notebook

# Never to be found as anything but text; `{address}` is one that would tell if it was asked.
MARKUP = """# Title <script>alert(1)</script>
<script src="{address}/a.js"></script><img src="{address}/b.png" onerror="alert(2)"><iframe src="{address}/c"></iframe>

[here](javascript:alert(3)) [there]({address}/d) <{address}/e> ![picture]({address}/f.png "title") [ref][r]
![inline](data:image/png;base64,AAAA) [page](data:text/html,<script>alert(4)</script>) ![svg](data:image/svg+xml;base64,PHN2Zy8+)

[r]: {address}/g "onmouseover=alert(5)"

##### Deep heading
<style>* {{ display: none }}</style> </style></main></body></html> ]]> <!-- <base href="{address}/"> -->

| a | b |
|---|---|
| <svg onload=alert(6)> | `</code><script>alert(7)</script>` |

\u202egnp.exe \u2066hidden\u2069 \u200b \u05d0\u05d1\u05d2 a
"""
SHOWN = r"""
import base64, sys
from IPython.display import HTML, Image, Javascript, SVG, display, publish_display_data
display(HTML("<script>alert('html')</script><img src='{address}/h.png'>"))
display(Javascript("fetch('{address}/i')"))
display(SVG("<svg xmlns='http://www.w3.org/2000/svg' onload='alert(8)'><script>alert(9)</script></svg>"))
html = base64.b64encode(b"<script>alert('no png')</script>").decode()
publish_display_data({{"image/png": html, "text/plain": "<b>not a picture</b>"}})
bomb = b"\x89PNG\r\n\x1a\n\x00\x00\x00\rIHDR" + (60000).to_bytes(4) * 2 + bytes(9)
publish_display_data({{"image/png": base64.b64encode(bomb).decode(), "text/plain": "a bomb"}})
print("\x1b[31mred\x1b[0m \x1b]0;title\x07 \x1b[2J\x1b[Hhome \u202eesrever\u202c ]]> </pre></main><script>alert(10)</script>")
print("10%\r50%\r100%")
print("=cmd|' /C calc'!A0", file=sys.stderr)
print("x" * 100_000 + "<script>")
"""
RAISED = '''
class Odd(Exception):
    """</style><script>alert(11)</script>"""
w = "</script><script>alert(12)</script>"  # ]]> </style> <!--
raise Odd("<img src={address}/j onerror=alert(13)> \u202eolleh \\x1b[31m")
'''
# No output of Jupyter's, and the last that its kernel shows.
MALFORMED = """
from IPython.display import publish_display_data
publish_display_data({"text/html": ["<script>", "</script>"], "text/plain": 7, "image/jpeg": {"a": 1}})
"""
NAME = "=cmd <script>alert(14)<\u2215script>\u202eypni.ipynb"


def hostile(address: str) -> Document:
    """The notebook."""
    text = {"cell_type": "markdown", "metadata": {}, "source": MARKUP.format(address=address)}
    cells = [text, code(SHOWN.format(address=address)), code(RAISED.format(address=address)), code(MALFORMED)]
    return notebook(*cells, metadata={"grader": {"exercise": "linear_regression"}})
