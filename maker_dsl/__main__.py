"""`python -m maker_dsl` is `maker`."""

from maker_dsl.cli import main

if __name__ == "__main__":
    main()
