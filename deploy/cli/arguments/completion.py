"""`setoff completion`: what may be typed."""

from __future__ import annotations

import argparse

SHELLS = ("bash", "zsh", "fish")


def configure(parser: argparse.ArgumentParser) -> None:
    """For which shell."""
    parser.set_defaults(is_service=True)
    parser.add_argument("shell", choices=SHELLS, help="yours")
    parser.epilog = """\
For this terminal, in bash or zsh:
  eval "$(setoff completion bash)"
For good:
  setoff completion bash > ~/.local/share/bash-completion/completions/setoff
  setoff completion zsh > a folder of $fpath/_setoff
  setoff completion fish > ~/.config/fish/completions/setoff.fish"""
