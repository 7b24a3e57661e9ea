"""Build the index of a folder: the same as `mmchat index`, for those who look for a script."""

import sys

from mmchat.cli import main

if __name__ == "__main__":
    sys.argv.insert(1, "index")
    main()
