"""The pages of whoever runs the assistant, behind a login, at `/owner` of the chat's address.

login.py       the password, and what slows down whoever guesses it
door.py        keeps everything shut for who has not logged in
mounting.py    puts the page beside the chat
house.py       what the panels work with
page.py        the page and the list of its panels
questions.py   panel: what customers asked and got no good answer to
index.py       panel: what the assistant answers from
"""

from mmchat.web.owner.login import Login
from mmchat.web.owner.mounting import OWNER_PATH, mount_owner

__all__ = ["OWNER_PATH", "Login", "mount_owner"]
