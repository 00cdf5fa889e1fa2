"""Parts of scripts/reliability.py: what the promises of docs/reliability.md come to on the real program."""
