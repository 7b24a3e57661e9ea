"""`python -m mmchat.cli` is `mmchat`."""

from mmchat.cli import main

main()
