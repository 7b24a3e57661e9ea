"""The chat in a browser. It shows what the assistant says and hands on what people ask.

    conversation.py   what one person asked and was told, as values
    wording.py        the words of the page, in English and Korean
    pictures.py       pictures at the sentences of an answer, and products below it
    render.py         those values as HTML, everything from outside escaped
    examples.py       questions to begin with, taken from the index
    steps.py          what happens when somebody asks, stops, retries or clears
    revising.py       a question that is taken back, changed, or asked once more
    line.py           the line before the answers, and each one's number in it
    showing.py        what a step puts out
    keeping.py        what a visitor does with the conversations that are kept
    exports.py        a conversation as a file, and the photos that were sent in it
    embedding.py      the chat in somebody's own page; embed.js is what that page loads
    documents.py      a document, opened where a source stands
    history.py        the panel with the conversations
    page.py           the Gradio page: its components
    connecting.py     which step runs on which event
    page.js           what Gradio's own scripts leave to be mended
    assets.py         the files that the page is made of, kept in memory and by the browser
    guard.py          keeps the page and its server to their own host
    owner/            the pages of whoever runs the assistant, behind a login
    server.py         the page on a port of this machine

Gradio is imported here and nowhere else in mmchat.
"""

from mmchat.web.page import build_page
from mmchat.web.server import serve

__all__ = ["build_page", "serve"]
