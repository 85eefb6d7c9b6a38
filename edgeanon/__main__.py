"""``python -m edgeanon`` is the command."""

from edgeanon.cli import main

if __name__ == "__main__":
    main()
