"""The chat in a browser. It shows what the assistant says and hands on what people ask.

    conversation.py   what one person asked and was told, as values
    wording.py        the words of the page, in English and Korean
    render.py         those values as HTML, everything from outside escaped
    examples.py       questions to begin with, taken from the index
    page.py           the Gradio page: components, events, and the order of both
    server.py         the page on a port of this machine

Gradio is imported here and nowhere else in mmchat.
"""

from mmchat.web.page import build_page
from mmchat.web.server import serve

__all__ = ["build_page", "serve"]
